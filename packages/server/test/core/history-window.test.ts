import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistoryWindow } from '../../src/core/delivery/history-window.js';
import type { LoggedEvent } from '../../src/core/delivery/logged-event.js';
import { loggedOfSize } from './support/entries.js';
import { collectGarbage } from './support/garbage.js';

const BIRTH = { offset: 0, fingerprint: 1 };

/** Runs of events with gaps between their offsets, as RabbitMQ has them. */
const batches = fc.array(
  fc.array(fc.record({ size: fc.integer({ min: 140, max: 3_000 }), skip: fc.nat(3) }), { maxLength: 8 }),
  { maxLength: 30 },
);

function offsets(events: readonly LoggedEvent[]): number[] {
  return events.map(({ offset }) => offset);
}

describe('HistoryWindow', () => {
  it('[I-7] holds no more bytes than its limit, and everything after its floor', () => {
    fc.assert(
      fc.property(batches, fc.constantFrom(0, 500, 5_000, 50_000), fc.nat(200), (input, limit, askedOffset) => {
        const window = new HistoryWindow(limit, BIRTH);
        const all: LoggedEvent[] = [];
        let offset = 0;
        for (const batch of input) {
          const events = batch.map(({ size, skip }) => {
            offset += 1 + skip;
            return loggedOfSize(offset, size);
          });
          all.push(...events);
          window.append(events);
          expect(window.bytes).toBeLessThanOrEqual(limit);
          const held = all.filter((event) => event.offset > window.floor.offset);
          expect(window.count).toBe(held.length);
          expect(window.bytes).toBeGreaterThanOrEqual(held.reduce((sum, { size }) => sum + size, 0));
          expect(offsets(window.after(window.floor.offset, Number.POSITIVE_INFINITY)?.events ?? [])).toEqual(
            offsets(held),
          );
          const asked = window.after(askedOffset, Number.POSITIVE_INFINITY);
          if (askedOffset < window.floor.offset) expect(asked).toBeUndefined();
          else expect(offsets(asked?.events ?? [])).toEqual(offsets(held.filter((one) => one.offset > askedOffset)));
          expect(window.at(askedOffset)?.offset).toBe(held.find((one) => one.offset === askedOffset)?.offset);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('returns at most as many bytes as requested, but at least one event, and says whether there are more', () => {
    const window = new HistoryWindow(1_000_000, BIRTH);
    window.append([1, 2, 3, 4].map((offset) => loggedOfSize(offset, 500)));
    const ask = (offset: number, bytes: number) => {
      const held = window.after(offset, bytes);
      return held && { offsets: offsets(held.events), more: held.more };
    };
    expect(ask(0, 1_000)).toEqual({ offsets: [1, 2], more: true });
    expect(ask(0, 999)).toEqual({ offsets: [1], more: true });
    expect(ask(2, 1)).toEqual({ offsets: [3], more: true });
    expect(ask(2, 1_000)).toEqual({ offsets: [3, 4], more: false });
    expect(ask(4, 1_000)).toEqual({ offsets: [], more: false });
  });

  it('has the point of the last dropped event as its floor', () => {
    const window = new HistoryWindow(1_700, BIRTH);
    const events = [1, 2, 3].map((offset) => loggedOfSize(offset, 500));
    window.append(events);
    expect(window.floor).toEqual({ offset: 1, fingerprint: events[0]?.entry.fingerprint });
  });

  it('[I-7] releases dropped events: large ones are collected although small ones are still held', async () => {
    const window = new HistoryWindow(3_000_000, BIRTH);
    const dropped: WeakRef<LoggedEvent>[] = [];
    for (let offset = 1; offset <= 40; offset++) {
      const event = loggedOfSize(offset, 1_000_000);
      dropped.push(new WeakRef(event));
      window.append([event]);
    }
    await collectGarbage();
    expect(dropped.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(6);
    expect(window.count).toBe(2);
  });

  it('[I-4] is empty after its log was replaced', () => {
    const window = new HistoryWindow(10_000, BIRTH);
    window.append([1, 2, 3].map((offset) => loggedOfSize(offset, 500)));
    window.clear({ offset: 9, fingerprint: 9 });
    expect(window.bytes).toBe(0);
    expect(window.at(2)).toBeUndefined();
    expect(window.after(8, 1_000)).toBeUndefined();
    expect(window.after(9, 1_000)).toEqual({ events: [], more: false });
  });
});
