import type { LogPoint } from '@pregon/protocol';
import type { Log } from '../../../core/ports/log.js';
import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered, numberedFrom } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';
import { idOf, readAll, roundTrip } from '../recorder.js';

/** Checks of points: points of the log, dropped points, and points of another log. */
export function describePoints({ it }: TestRunner, open: Open, can: TestedCapabilities): void {
  it('[I-4] the birth of an empty log is its floor and its head, and differs from that of any other log', async () => {
    const [one, two] = [await open(), await open()];
    const birth = await one.log.floor();
    expect(await one.log.head()).toEqual(birth);
    expect(await one.log.check(roundTrip(birth))).toBe('present');
    expect(await two.log.check(birth)).toBe('replaced');
    await one.log.append([numbered(1)]);
    expect(await one.log.floor()).toEqual(birth);
    expect(await one.log.check(birth)).toBe('present');
  });

  it('[I-4] a point is present, but replaced with another fingerprint or beyond the head', async () => {
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
    it('[I-4] dropped points are truncated; the floor is the last dropped entry, and reading can resume from it', async () => {
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

    it('[I-4] never uses an offset twice, even after all entries were dropped', async () => {
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
    it('[I-4] reports points of the old log as replaced after a replacement', async () => {
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
