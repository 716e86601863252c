import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const FULL = { time: '2026-01-02T03:04:05.678Z', subject: 'number/1 "é"', traceparent: TRACE };
const NONE = { time: undefined, subject: undefined, traceparent: undefined };

/** The attributes of an event that are stored beside its payload (format 2 of an entry). */
export function describeDetail({ describe, it }: TestRunner, open: Open, { trim }: TestedCapabilities): void {
  describe('detail', () => {
    it('returns an entry with its id, time, subject and traceparent, as the producer wrote them', async () => {
      const { log } = await open();
      const [first, second] = await log.append([numbered(1, FULL), numbered(2)]);
      const { entries } = await log.read({ after: 0 });
      if (!first || !second) throw new Error('no points');
      expect(await log.detail(first)).toEqual({ ...entries[0], ...FULL, id: 'event-1' });
      expect(await log.detail(second)).toEqual({ ...entries[1], ...NONE, id: 'event-2' });
    });

    it('returns hostile texts unchanged', async () => {
      const { log } = await open();
      const hostile = { id: '"\n\\\u0001', subject: '\0 \ud800 "', traceparent: 'x'.repeat(20_000), time: '' };
      const [point] = await log.append([numbered(1, hostile)]);
      expect(point && (await log.detail(point))).toMatchObject(hostile);
    });

    it('ignores attributes that are not text, and attributes of a prototype', async () => {
      const { log } = await open();
      const [point] = await log.append([
        numbered(1, Object.assign(Object.create({ subject: 'a' }), { traceparent: 7 })),
      ]);
      expect(point && (await log.detail(point))).toMatchObject(NONE);
    });

    it('[I-4] returns nothing for a point that the log does not hold', async () => {
      const { log } = await open();
      const birth = await log.floor();
      const [point] = await log.append([numbered(1)]);
      if (!point) throw new Error('no point');
      expect(await log.detail(birth)).toBeUndefined();
      expect(await log.detail({ ...point, fingerprint: point.fingerprint ^ 1 })).toBeUndefined();
      expect(await log.detail({ ...point, offset: point.offset + 1 })).toBeUndefined();
    });

    it('returns nothing for an exchange that the log was not opened for', async () => {
      const { log } = await open({ exchanges: ['numbers'] });
      const [wanted, other] = await log.append([numbered(1), numbered(2, { exchange: 'others' })]);
      expect(wanted && (await log.detail(wanted))).toMatchObject({ id: 'event-1' });
      expect(other && (await log.detail(other))).toBeUndefined();
    });

    if (!trim) return;
    it('returns nothing for a dropped entry', async () => {
      const { log, trim: trimTo } = await open();
      const [dropped, kept] = await log.append([numbered(1), numbered(2)]);
      await trimTo(1);
      expect(dropped && (await log.detail(dropped))).toBeUndefined();
      expect(kept && (await log.detail(kept))).toMatchObject({ id: 'event-2' });
    });
  });
}
