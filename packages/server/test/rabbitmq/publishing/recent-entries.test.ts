import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StreamEntry } from '../../../src/logs/rabbitmq/messages/stream-entry.js';
import { RecentEntries } from '../../../src/logs/rabbitmq/reading/recent-entries.js';

/** Entries with growing offsets and gaps; there are few keys, so that many repeat. */
const entries = fc
  .array(fc.record({ step: fc.integer({ min: 1, max: 3 }), key: fc.option(fc.integer({ min: 1, max: 30 })) }), {
    maxLength: 200,
  })
  .map((steps) => {
    let offset = 0;
    return steps.map(({ step, key }) => {
      offset += step;
      return key === null ? fence(offset) : event(offset, `key-${key}`);
    });
  });

it('[I-3] a remembered event is recognized as a duplicate, with its first entry', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 2, max: 40 }), (all, most) => {
      const recent = new RecentEntries(most);
      all.forEach((entry, index) => {
        const isDuplicate = recent.add(entry);
        expect(isDuplicate).toBe(recent.isDuplicate(entry.offset));
        if (entry.kind !== 'event') {
          expect(isDuplicate).toBe(false);
          return;
        }
        // At least half of the maximum is remembered, and never more than the maximum.
        const near = all.slice(Math.max(0, index - Math.floor(most / 2)), index);
        const far = all.slice(Math.max(0, index - most), index);
        const firsts = (of: StreamEntry[]) => of.filter((e) => e.kind === 'event' && e.key === entry.key);
        if (firsts(far).length === 0) expect(isDuplicate).toBe(false);
        if (firsts(near).some((first) => !recent.isDuplicate(first.offset))) expect(isDuplicate).toBe(true);
        const first = recent.firstOf(entry.key);
        expect(first && first.offset <= entry.offset && !recent.isDuplicate(first.offset)).toBe(true);
      });
    }),
  );
});

it('the fingerprint of each remembered offset is known, and a gap has no fingerprint', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const recent = new RecentEntries(50);
      for (const entry of all) recent.add(entry);
      const remembered = all.filter(({ offset }) => offset >= recent.first);
      expect(remembered.length).toBeGreaterThanOrEqual(Math.min(all.length, 25));
      const offsets = new Map(remembered.map((entry) => [entry.offset, entry.fingerprint]));
      for (let offset = 0; offset <= (all.at(-1)?.offset ?? 0) + 1; offset++) {
        expect(recent.fingerprintAt(offset)).toBe(offsets.get(offset));
      }
    }),
  );
});

function fence(offset: number): StreamEntry {
  return { kind: 'fence', offset, fingerprint: offset * 7, id: `fence-${offset}` };
}

function event(offset: number, key: string): StreamEntry {
  const fingerprint = offset * 7;
  const payload = new Uint8Array([1]);
  const common = {
    offset,
    fingerprint,
    exchange: 'e',
    topic: 't',
    type: 'T',
    source: '/',
    sequence: undefined,
    payload,
  };
  const attributes = { time: undefined, subject: undefined, traceparent: undefined };
  return { kind: 'event', offset, fingerprint, key, id: key, attributes, event: common };
}
