import { encodeSequence, type LogPoint } from '@pregon/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { Log, LogOptions } from '../../packages/server/src/core/ports/log.js';
import { numbered, numberedFrom } from '../support/log/events.js';
import { idOf, Recorder, readAll, roundTrip } from '../support/log/recorder.js';
import { describeAppending, describeHostile } from './log-appending.contract.js';
import { describeDetail } from './log-detail.contract.js';
import { describeFinding } from './log-finding.contract.js';
import { describeFollowing } from './log-following.contract.js';
import { describeKept } from './log-kept.contract.js';
import { describeLogOrder } from './log-order.contract.js';
import { describeSecret } from './log-secret.contract.js';
import type { LogCapabilities, LogKind, LogSubject, Open } from './log-subject.js';

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
    describeSecret(open, kind.capabilities);
    describeAppending(open);
    describeDetail(open, kind.capabilities);
    describeFinding(open, kind.capabilities);
    describePoints(open, kind.capabilities);
    describeReading(open);
    describeLocating(open, kind.capabilities);
    describeFollowing(open, kind.capabilities);
    describeHostile(open);
    describeClosing(open);
    describeLogOrder(open);
    describeKept(open, kind.capabilities);
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

    it('[fault F4] [I-6] the last sequence of a source is located at the floor, once all of the log was dropped', async () => {
      const { log, trim } = await open();
      await log.append([at(1, '/a'), at(1, '/b'), at(2, '/b'), at(3, '/a'), numbered(9, { sequence: undefined })]);
      await trim(0);
      const floor = await log.floor();
      for (const [sequence, source] of [
        [3, '/a'],
        [2, '/b'],
        [3, undefined],
      ] as const) {
        expect(await log.locate(sequence, source)).toEqual(floor);
      }
      for (const sequence of [0, 1, 2, 4]) expect(await log.locate(sequence, '/a')).toBeUndefined();
      expect(await log.locate(1, '/unknown')).toBeUndefined();
      const [point] = await log.append([at(4, '/a')]);
      expect(await log.locate(4, '/a')).toEqual(point);
      expect(await log.locate(2, '/b')).toBeUndefined();
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
