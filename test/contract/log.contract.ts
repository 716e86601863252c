import { encodeSequence, fingerprint, type LogPoint } from '@pregon/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { Log, LogOptions } from '../../packages/server/src/core/log.js';
import { numbered, numberedFrom } from '../support/log/events.js';
import { idOf, parsePayload, Recorder, readAll, roundTrip } from '../support/log/recorder.js';
import { describeLogOrder } from './log-order.contract.js';

/** A log under test, new and empty, and what can be done to it from outside. */
export interface LogSubject {
  readonly log: Log;
  /** Opens another handle on the same log. */
  another(options?: LogOptions): Promise<Log>;
  /** Drops all but the last `count` entries. */
  trim(count: number): Promise<void>;
  /** Puts another log in its place. */
  replace(): Promise<void>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

/** What a kind of log can be made to do in a test. */
export interface LogCapabilities {
  readonly another: boolean;
  readonly trim: boolean;
  readonly replace: boolean;
  /** Whether an exchange may have any name, also one that UTF-8 cannot hold. */
  readonly anyExchange: boolean;
}

export interface LogKind {
  readonly name: string;
  readonly capabilities: LogCapabilities;
  create(options?: LogOptions): Promise<LogSubject>;
}

/** The guarantees of a log, for any kind of it. */
export function describeLog(kind: LogKind): void {
  describe(`log: ${kind.name}`, () => {
    const subjects: LogSubject[] = [];
    const open = async (options?: LogOptions): Promise<LogSubject> => {
      const subject = await kind.create(options);
      subjects.push(subject);
      return subject;
    };
    afterEach(async () => {
      for (const subject of subjects.splice(0)) await subject.dispose();
    });
    describeAppending(open);
    describePoints(open, kind.capabilities);
    describeReading(open);
    describeLocating(open, kind.capabilities);
    describeFollowing(open, kind.capabilities);
    describeHostile(open, kind.capabilities);
    describeClosing(open);
    describeLogOrder(open);
  });
}

export type Open = (options?: LogOptions) => Promise<LogSubject>;

function describeAppending(open: Open): void {
  it('[I-1] entries are read in the order of append, with growing offsets', async () => {
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

  it('an entry bears what routing needs, and its fingerprint is that of its payload', async () => {
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

  it('[I-3] an event whose source and id are known is not stored again: its point is that of the first', async () => {
    const { log } = await open();
    const [first] = await log.append([numbered(1)]);
    const again = await log.append([numbered(2), numbered(1, { data: 'changed' }), numbered(2), numbered(3)]);
    const [elsewhere] = await log.append([numbered(1, { source: '/other' })]);
    expect(again[1]).toEqual(first);
    expect(again[2]).toEqual(again[0]);
    expect(elsewhere).not.toEqual(first);
    expect((await readAll(log)).map(idOf)).toEqual(['event-1', 'event-2', 'event-3', 'event-1']);
  });

  it('[I-3] a long redelivery with new events among it stores only the new ones', async () => {
    const { log } = await open();
    const first = await log.append(numberedFrom(1, 60));
    const second = await log.append(numberedFrom(31, 90));
    expect(second.slice(0, 30)).toEqual(first.slice(30));
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 90).map(({ id }) => id));
  });

  it('appends of one turn of the loop all succeed, in the order of the calls', async () => {
    const { log } = await open();
    const calls = numberedFrom(1, 1200).map((event) => log.append([event]));
    const offsets = (await Promise.all(calls)).map(([point]) => point?.offset ?? 0);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(1, 1200).map(({ id }) => id));
  });

  it('an event that is none, or too large, is refused, and none of its append is stored', async () => {
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

function describePoints(open: Open, can: LogCapabilities): void {
  it('[I-4] the birth of an empty log is its floor and its head, and no other log has it', async () => {
    const [one, two] = [await open(), await open()];
    const birth = await one.log.floor();
    expect(await one.log.head()).toEqual(birth);
    expect(await one.log.check(roundTrip(birth))).toBe('present');
    expect(await two.log.check(birth)).toBe('replaced');
    await one.log.append([numbered(1)]);
    expect(await one.log.floor()).toEqual(birth);
    expect(await one.log.check(birth)).toBe('present');
  });

  it('[I-4] a point is present; with another fingerprint, or beyond the head, it is of another log', async () => {
    const { log } = await open();
    const points = await log.append(numberedFrom(1, 3));
    const head = await log.head();
    expect(head).toEqual(points[2]);
    for (const point of points) expect(await log.check(roundTrip(point))).toBe('present');
    expect(await log.check({ ...head, fingerprint: head.fingerprint ^ 1 })).toBe('replaced');
    expect(await log.check({ ...head, offset: head.offset + 1 })).toBe('replaced');
    expect(await log.check({ ...head, offset: Number.MAX_SAFE_INTEGER })).toBe('replaced');
  });

  if (can.trim) {
    it('[I-4] what was dropped is truncated; the floor is the last dropped entry and can be resumed from', async () => {
      const { log, trim } = await open();
      const birth = await log.floor();
      const points = await log.append(numberedFrom(1, 5));
      await trim(2);
      const floor = await log.floor();
      expect(floor).toEqual(points[2]);
      expect(await checkAll(log, points)).toEqual(['truncated', 'truncated', 'present', 'present', 'present']);
      expect(await log.check(birth)).toBe('truncated');
      expect(await log.check({ ...birth, fingerprint: birth.fingerprint ^ 1 })).toBe('replaced');
      expect((await readAll(log)).map(idOf)).toEqual(['event-4', 'event-5']);
      expect((await readAll(log, floor.offset)).map(idOf)).toEqual(['event-4', 'event-5']);
    });

    it('[I-4] an offset is never used twice, also when all entries were dropped', async () => {
      const { log, trim } = await open();
      const points = await log.append(numberedFrom(1, 3));
      await trim(0);
      expect(await log.head()).toEqual(points[2]);
      expect(await log.floor()).toEqual(points[2]);
      const [next] = await log.append([numbered(1)]);
      expect(next?.offset).toBeGreaterThan(points[2]?.offset ?? 0);
    });
  }

  if (can.replace) {
    it('[I-4] after a replacement the points of the old log are replaced', async () => {
      const { log, replace } = await open();
      const birth = await log.floor();
      const points = await log.append(numberedFrom(1, 3));
      await replace();
      await log.append(numberedFrom(11, 13));
      expect(await checkAll(log, [birth, ...points])).toEqual(Array(4).fill('replaced'));
      expect((await readAll(log)).map(idOf)).toEqual(['event-11', 'event-12', 'event-13']);
    });
  }
}

async function checkAll(log: Log, points: readonly LogPoint[]): Promise<string[]> {
  const presences: string[] = [];
  for (const point of points) presences.push(await log.check(point));
  return presences;
}

function describeReading(open: Open): void {
  it('a page ends at its count, at its bytes, or at the offset asked for', async () => {
    const { log } = await open();
    const points = await log.append(numberedFrom(11, 19));
    const at = (index: number) => points[index] ?? { offset: -1, fingerprint: -1 };
    const byCount = await log.read({ after: 0, maxCount: 2 });
    expect(byCount.entries.map(idOf)).toEqual(['event-11', 'event-12']);
    expect(byCount.through).toEqual(at(1));
    const size = byCount.entries[0]?.payload.length ?? 0;
    expect((await log.read({ after: at(0).offset, maxBytes: size * 2 })).through).toEqual(at(2));
    expect((await log.read({ after: at(0).offset, maxBytes: size * 2 + 1 })).through).toEqual(at(3));
    expect((await log.read({ after: 0, maxBytes: 1 })).entries.map(idOf)).toEqual(['event-11']);
    const bounded = await log.read({ after: at(3).offset, through: at(5).offset });
    expect(bounded.entries.map(idOf)).toEqual(['event-15', 'event-16']);
    expect(bounded.through).toEqual(at(5));
  });

  it('at the head a page is empty and ends there', async () => {
    const { log } = await open();
    expect(await log.read({ after: 0 })).toEqual({ entries: [], through: await log.floor(), complete: true });
    const [, last] = await log.append(numberedFrom(1, 2));
    expect(await log.read({ after: last?.offset ?? 0 })).toEqual({ entries: [], through: last, complete: true });
  });

  it('[000-17] only entries of the exchanges asked for are read, and a page goes on past the others', async () => {
    const { log } = await open({ exchanges: ['wanted', 'never seen'] });
    await log.append(numberedFrom(1, 50));
    const [wanted] = await log.append([numbered(51, { exchange: 'wanted' })]);
    const points = await log.append(numberedFrom(52, 99));
    expect((await readAll(log)).map(idOf)).toEqual(['event-51']);
    const page = await log.read({ after: wanted?.offset ?? 0 });
    expect(page).toMatchObject({ entries: [], through: points.at(-1) });
    expect(await log.head()).toEqual(points.at(-1));
    expect((await readAll(log, 0, { maxCount: 1 })).map(idOf)).toEqual(['event-51']);
  });

  it('[I-2] a page that is not complete ends further on, however much lies there that is not read', async () => {
    const { log } = await open({ exchanges: ['numbers'] });
    const [first] = await log.append([numbered(1)]);
    // Whoever has to write to learn where the log ends, writes here.
    for (let n = 0; n < 50; n++) expect(await log.head()).toEqual(first);
    await log.append([numbered(2)]);
    await log.append(numberedFrom(3, 4_203, { exchange: 'not read' }));
    const last = await log.append([numbered(4_204), numbered(4_205)]);
    for (const request of [{}, { maxCount: 1 }, { through: last[0]?.offset ?? 0, maxCount: 3 }]) {
      const read: string[] = [];
      for (let after = first?.offset ?? 0, complete = false; !complete; ) {
        const page = await log.read({ after, ...request });
        expect(page.complete || page.through.offset > after).toBe(true);
        read.push(...page.entries.map(idOf));
        ({ complete } = page);
        after = page.through.offset;
      }
      expect(read).toEqual(['event-2', 'event-4204', ...(request.through ? [] : ['event-4205'])]);
    }
  });

  it('a request that cannot be read is misuse', async () => {
    const { log } = await open();
    await expect(log.read({ after: -1 })).rejects.toThrow(RangeError);
    await expect(log.read({ after: 0.5 })).rejects.toThrow(RangeError);
    await expect(log.read({ after: 0, maxCount: 0 })).rejects.toThrow(RangeError);
    await expect(log.read({ after: 0, maxBytes: 0 })).rejects.toThrow(RangeError);
  });
}

function describeLocating(open: Open, can: LogCapabilities): void {
  const at = (n: number, source: string) => numbered(n, { id: `${source}-${n}`, source, sequence: encodeSequence(n) });

  it('[I-6] a sequence is located at the last entry of its source up to it, once the log has come so far', async () => {
    const { log } = await open();
    const birth = await log.floor();
    expect(await log.locate(0, '/a')).toEqual(birth);
    expect(await log.locate(1, '/a')).toBeUndefined();
    const points = await log.append([at(2, '/a'), at(1, '/b'), at(4, '/a'), numbered(9, { sequence: undefined })]);
    expect(await log.locate(0, '/a')).toEqual(birth);
    expect(await log.locate(1, '/a')).toEqual(birth);
    expect(await log.locate(2, '/a')).toEqual(points[0]);
    expect(await log.locate(3, '/a')).toEqual(points[0]);
    expect(await log.locate(4, '/a')).toEqual(points[2]);
    expect(await log.locate(5, '/a')).toBeUndefined();
    expect(await log.locate(1, '/b')).toEqual(points[1]);
    expect(await log.locate(2, '/b')).toBeUndefined();
    expect(await log.locate(3, undefined)).toEqual(points[0]);
    expect(await log.locate(4, undefined)).toEqual(points[2]);
    expect(await log.locate(1, '/unknown')).toBeUndefined();
  });

  if (can.trim) {
    it('[I-6] a sequence whose entry was dropped cannot be located', async () => {
      const { log, trim } = await open();
      const points = await log.append([at(1, '/a'), at(2, '/a'), at(3, '/a'), at(5, '/b')]);
      await trim(2);
      expect(await log.locate(0, '/a')).toBeUndefined();
      expect(await log.locate(2, '/a')).toBeUndefined();
      expect(await log.locate(3, '/a')).toEqual(points[2]);
      expect(await log.locate(4, '/b')).toEqual(await log.floor());
    });
  }
}

function describeFollowing(open: Open, can: LogCapabilities): void {
  it('[I-2] following from a point brings all after it, also what came before following began', async () => {
    const { log } = await open();
    const points = await log.append(numberedFrom(1, 10));
    const recorder = new Recorder();
    const stop = log.follow(points[3] ?? (await log.floor()), recorder);
    await log.append(numberedFrom(11, 15));
    await recorder.untilCount(11);
    await log.append([numbered(16)]);
    await recorder.untilCount(12);
    expect(recorder.ids).toEqual(numberedFrom(5, 16).map(({ id }) => id));
    expect(recorder.through).toEqual(await log.head());
    await stop();
    await log.append([numbered(17)]);
    await log.read({ after: 0 });
    expect(recorder.entries).toHaveLength(12);
  });

  it('[I-2] nothing lies between what was read and what is followed while others append', async () => {
    const { log } = await open();
    const appending = (async () => {
      for (let n = 1; n <= 400; n += 4) await log.append(numberedFrom(n, n + 3));
    })();
    await log.append([numbered(0)]);
    const page = await log.read({ after: 0 });
    const recorder = new Recorder();
    const stop = log.follow(page.through, recorder);
    await appending;
    await recorder.untilCount(401 - page.entries.length);
    await stop();
    const all = [...page.entries, ...recorder.entries];
    expect(all.map(({ offset }) => offset)).toEqual((await readAll(log)).map(({ offset }) => offset));
  });

  it('a backlog is followed in pages, with turns of the event loop between them', async () => {
    const { log } = await open();
    await log.append(numberedFrom(1, 3000));
    const recorder = new Recorder();
    let turns = 0;
    const turn = () => {
      turns++;
      if (recorder.entries.length < 3000) setImmediate(turn);
    };
    setImmediate(turn);
    const stop = log.follow(await log.floor(), recorder);
    await recorder.untilCount(3000);
    await stop();
    expect(recorder.calls.length).toBeGreaterThanOrEqual(3);
    expect(turns).toBeGreaterThanOrEqual(recorder.calls.length - 1);
  });

  it('events of other exchanges move the follower on', async () => {
    const { log } = await open({ exchanges: ['wanted'] });
    const recorder = new Recorder();
    const stop = log.follow(await log.floor(), recorder);
    const [point] = await log.append([numbered(1)]);
    await recorder.until('the page to end at the other event', () => recorder.through?.offset === point?.offset);
    expect(recorder.entries).toEqual([]);
    await stop();
  });

  if (can.another) {
    it('[I-2] what one handle appends, another reads and follows', async () => {
      const { log, another } = await open();
      const reader = await another();
      const recorder = new Recorder();
      const stop = reader.follow(await reader.head(), recorder);
      const points = await log.append(numberedFrom(1, 5));
      expect(await reader.head()).toEqual(points.at(-1));
      await recorder.untilCount(5);
      await reader.append([numbered(3), numbered(6)]);
      await recorder.untilCount(6);
      expect((await readAll(log)).map(idOf)).toEqual(recorder.ids);
      await stop();
    });
  }

  if (can.trim) {
    it('[I-2] a follower whose point was dropped is told, it does not skip in silence', async () => {
      const { log, trim } = await open();
      const birth = await log.floor();
      await log.append(numberedFrom(1, 10));
      await trim(2);
      const recorder = new Recorder();
      const stop = log.follow(birth, recorder);
      await recorder.until('replaced', () => recorder.calls.includes('replaced'));
      await log.append([numbered(11)]);
      await recorder.untilCount(1);
      expect(recorder.ids).toEqual(['event-11']);
      await stop();
    });
  }

  if (can.replace) {
    it('[I-4] a follower is told that its log was replaced, then follows the new one', async () => {
      const { log, replace } = await open();
      await log.append(numberedFrom(1, 3));
      const recorder = new Recorder();
      const stop = log.follow(await log.head(), recorder);
      await replace();
      await recorder.until('replaced', () => recorder.calls.includes('replaced'));
      expect(recorder.heads).toEqual([await log.head()]);
      await log.append(numberedFrom(21, 25));
      await recorder.untilCount(5);
      expect(recorder.ids).toEqual(numberedFrom(21, 25).map(({ id }) => id));
      await stop();
    });
  }
}

function describeHostile(open: Open, can: LogCapabilities): void {
  const payloads: Record<string, unknown> = {
    'a newline, a CR and a NUL': 'a\nb\r\nc\0d\u2028e',
    'lone surrogates': '\ud800 and \udfff',
    'text beyond the basic plane': '𝄞 漢字 é',
    'an empty object': {},
    'an empty text': '',
    null: null,
    'a deep structure': { a: [[[[{ b: '"\\' }]]]] },
    '1 MB of text': 'x'.repeat(1_000_000),
  };
  for (const [name, data] of Object.entries(payloads)) {
    it(`data that is ${name} comes back as it was`, async () => {
      const { log } = await open();
      await log.append([numbered(1, { data }), numbered(2)]);
      const entries = await readAll(log);
      expect(entries.map(parsePayload)).toEqual([numbered(1, { data }), numbered(2)]);
    });
  }

  it('an event without data stays without', async () => {
    const { log } = await open();
    const { data: _, ...bare } = numbered(1);
    await log.append([bare]);
    expect((await readAll(log)).map(parsePayload)).toEqual([bare]);
  });

  it('[I-3] ids and names that differ in odd characters only are different', async () => {
    const { log } = await open();
    const odd = ['a\0b', 'a\0c', 'a', '\ud800', '\ud801', '\ufffd', '"', '\\', 'É', 'é', 'e\u0301'];
    await log.append(odd.map((id) => numbered(1, { id })));
    const exchanges = odd.map((name) => (can.anyExchange ? name : Buffer.from(name).toString()));
    await log.append(
      odd.map((name, i) => numbered(1, { id: 'the same', source: name, type: name, exchange: exchanges[i] ?? '' })),
    );
    const entries = await readAll(log);
    expect(entries.map(idOf)).toEqual([...odd, ...odd.map(() => 'the same')]);
    const names = entries.slice(odd.length);
    expect(names.map(({ source }) => source)).toEqual(odd);
    expect(names.map(({ type }) => type)).toEqual(odd);
    expect(names.map(({ exchange }) => exchange)).toEqual(exchanges);
  });

  if (!can.anyExchange) {
    it('an exchange that the log cannot have is refused', async () => {
      const { log } = await open();
      await expect(log.append([numbered(1, { exchange: '\ud800' })])).rejects.toMatchObject({ code: 'EVENT_INVALID' });
      await expect(log.append([numbered(1, { exchange: 'é'.repeat(128) })])).rejects.toMatchObject({
        code: 'EVENT_INVALID',
      });
    });
  }
}

function describeClosing(open: Open): void {
  it('after close every call is refused, and closing again is fine', async () => {
    const { log } = await open();
    const head = await log.head();
    const recorder = new Recorder();
    log.follow(head, recorder);
    await log.close();
    await log.close();
    const closed = { code: 'LOG_CLOSED' };
    await expect(log.append([numbered(1)])).rejects.toMatchObject(closed);
    await expect(log.head()).rejects.toMatchObject(closed);
    await expect(log.floor()).rejects.toMatchObject(closed);
    await expect(log.check(head)).rejects.toMatchObject(closed);
    await expect(log.read({ after: 0 })).rejects.toMatchObject(closed);
    await expect(log.locate(1, undefined)).rejects.toMatchObject(closed);
    expect(() => log.follow(head, recorder)).toThrow(expect.objectContaining(closed));
    expect(recorder.calls).toEqual([]);
  });

  it('[I-10] what was appended before close is stored', async () => {
    const { log } = await open();
    const appended = log.append(numberedFrom(1, 700));
    const [points] = await Promise.all([appended, log.close()]);
    expect(points).toHaveLength(700);
  });
}
