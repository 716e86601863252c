import { encodeSequence, fingerprint, type PregonEvent, parseExactly } from '@pregon/protocol';
import { expect } from '../../assertions/expect.js';
import { containing } from '../../assertions/matching.js';
import type { TestRunner } from '../../runner.js';
import { numbered, numberedFrom } from '../events.js';
import type { Open } from '../open.js';
import { idOf, parsePayload, readAll } from '../recorder.js';

/** Which events a log accepts, which ones it refuses, and which ones it treats as the same event. */
export function describeAppending({ it }: TestRunner, open: Open): void {
  it('[I-1] entries are read in the order of append, with increasing offsets', async () => {
    const { log } = await open();
    const points = [
      ...(await log.append(numberedFrom(1, 3))),
      ...(await log.append([])),
      ...(await log.append([numbered(4)])),
    ];
    const entries = await readAll(log);
    expect(entries.map(idOf)).toEqual(['event-1', 'event-2', 'event-3', 'event-4']);
    expect(entries.map(({ offset, fingerprint: f }) => ({ offset, fingerprint: f }))).toEqual(points);
    expect(points.every((point, i) => i === 0 || point.offset > (points[i - 1]?.offset ?? 0))).toBe(true);
  });

  it('stores the attributes that routing needs, and the fingerprint of the payload', async () => {
    const { log } = await open();
    await log.append([numbered(7, { position: 'not stored' })]);
    const [entry] = await readAll(log);
    expect(entry).toMatchObject({
      exchange: 'numbers',
      topic: 'number.7.said',
      type: 'NumberWasSaid',
      source: '/test',
    });
    expect(entry?.sequence).toBe(7);
    expect(entry && fingerprint(entry.payload)).toBe(entry?.fingerprint);
    expect(entry && parsePayload(entry)).toEqual(numbered(7));
    expect(Buffer.from(entry?.payload ?? []).toString()).toBe(JSON.stringify(numbered(7)));
  });

  it('[I-3] does not store an event with a known source and id again, and returns the point of the first', async () => {
    const { log } = await open();
    const [first] = await log.append([numbered(1)]);
    const again = await log.append([numbered(2), numbered(1), numbered(2), numbered(3)]);
    const [elsewhere] = await log.append([numbered(1, { source: '/other' })]);
    expect(again[1]).toEqual(first);
    expect(again[2]).toEqual(again[0]);
    expect(elsewhere).not.toEqual(first);
    expect((await readAll(log)).map(idOf)).toEqual(['event-1', 'event-2', 'event-3', 'event-1']);
  });

  it('[fault C3] [I-3] treats an event that is sent again with a new time and sequence as the same event', async () => {
    const { log } = await open();
    const time = '2026-01-01T00:00:00Z';
    const [first] = await log.append([numbered(1, { time })]);
    const stamped = numbered(1, { time: '2026-01-01T00:00:05Z', sequence: encodeSequence(9) });
    const turned = Object.fromEntries(Object.entries({ ...numbered(1), time }).reverse());
    for (const again of [stamped, { ...numbered(1), ...turned }]) expect(await log.append([again])).toEqual([first]);
    expect((await readAll(log)).map(parsePayload)).toEqual([numbered(1, { time })]);
  });

  const differences: Record<string, Partial<PregonEvent>> = {
    data: { data: { n: 'other' } },
    'the presence of data': { data: undefined },
    type: { type: 'NumberWasTaken' },
    topic: { topic: 'number.1.taken' },
    exchange: { exchange: 'numbers-taken' },
    subject: { subject: 'number/1' },
    'an extension': Object({ traceparent: '00-1' }),
  };
  for (const [name, difference] of Object.entries(differences)) {
    it(`[fault C3] [I-3] refuses another event with the same id that differs in ${name}`, async () => {
      const { log } = await open();
      await log.append([numbered(1)]);
      const refused = { code: 'EVENT_ID_REUSED', retryable: false, message: containing('"event-') };
      await expect(log.append([numbered(1, difference)])).rejects.toMatchObject(refused);
      await expect(log.append([numbered(2), numbered(2, difference)])).rejects.toMatchObject(refused);
      await log.append([numbered(3)]);
      const stored = (await readAll(log)).map(parsePayload);
      expect(stored.filter((event) => 'id' in Object(event))).toEqual(stored);
      expect(stored).toContainEqual(numbered(1));
      expect(stored).toContainEqual(numbered(3));
      expect(stored).not.toContainEqual(numbered(1, difference));
      expect(stored).not.toContainEqual(numbered(2, difference));
    });
  }

  it('[fault C3] [I-3] distinguishes events whose numbers are equal in JavaScript but not in JSON', async () => {
    const { log } = await open();
    const [first] = await log.append([numbered(1, { data: parseExactly('[9007199254740993,1e400]') })]);
    const stamped = { time: '2026-01-01T00:00:05Z', data: parseExactly('[ 9007199254740993, 1e400 ]') };
    expect(await log.append([numbered(1, stamped)])).toEqual([first]);
    for (const other of ['[9007199254740992,1e400]', '[9007199254740993,1e401]', '[9007199254740993,1e400,1e400]']) {
      const reused = log.append([numbered(1, { data: parseExactly(other) })]);
      await expect(reused, other).rejects.toMatchObject({ code: 'EVENT_ID_REUSED' });
    }
  });

  it('[fault C3] refuses only the append that reuses an id, not other appends of the same turn', async () => {
    const { log } = await open();
    await log.append([numbered(1)]);
    const appends = [
      log.append(numberedFrom(2, 30)),
      log.append([numbered(31), numbered(1, { data: 'other' })]),
      log.append(numberedFrom(32, 60)),
    ];
    const outcomes = (await Promise.allSettled(appends)).map(({ status }) => status);
    expect(outcomes).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const ids = (await readAll(log)).map(idOf).filter((id) => id !== 'event-31');
    expect(ids).toEqual([...numberedFrom(1, 30), ...numberedFrom(32, 60)].map(({ id }) => id));
  });

  it('[I-3] stores only the new events of a long redelivery', async () => {
    const { log } = await open();
    const first = await log.append(numberedFrom(1, 60));
    const second = await log.append(numberedFrom(31, 90));
    expect(second.slice(0, 30)).toEqual(first.slice(30));
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 90).map(({ id }) => id));
  });

  it('stores concurrent appends of one event loop turn in the order of the calls', async () => {
    const { log } = await open();
    const calls = numberedFrom(1, 1200).map((event) => log.append([event]));
    const offsets = (await Promise.all(calls)).map(([point]) => point?.offset ?? 0);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 1200).map(({ id }) => id));
  });

  it('refuses an event that is invalid or too large, and stores no event of that append', async () => {
    const { log } = await open({ maxEventBytes: 300 });
    const large = numbered(2, { data: 'é'.repeat(150) });
    await expect(log.append([numbered(1), large])).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE', retryable: false });
    await expect(log.append([numbered(1), numbered(2, { topic: 'a.*' })])).rejects.toMatchObject({
      code: 'EVENT_INVALID',
    });
    await expect(log.append([numbered(1, { data: 1n })])).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    expect(await readAll(log)).toEqual([]);
    await log.append([numbered(3)]);
    expect((await readAll(log)).map(idOf)).toEqual(['event-3']);
  });
}
