import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered, numberedFrom } from '../events.js';
import type { TestedCapabilities } from '../log-kind.js';
import type { Open } from '../open.js';

/** Finding events by their id. */
export function describeFinding({ describe, it }: TestRunner, open: Open, { another, trim }: TestedCapabilities): void {
  describe('find', () => {
    it('finds an event by its id and source, with all its stored attributes', async () => {
      const { log } = await open();
      const points = await log.append([...numberedFrom(1, 20), numbered(21, { subject: 'number/21' })]);
      const found = await log.find({ id: 'event-21', source: '/test' });
      expect(found).toEqual({ entries: [await log.detail(points[20] ?? (await log.head()))], complete: true });
      expect(found.entries[0]).toMatchObject({ id: 'event-21', source: '/test', subject: 'number/21' });
      expect(await log.find({ id: 'event-3' })).toMatchObject({ entries: [{ ...points[2] }], complete: true });
    });

    it('finds nothing for an unknown id, or for a known id of another source', async () => {
      const { log } = await open();
      const nothing = { entries: [], complete: true };
      expect(await log.find({ id: 'event-1' })).toEqual(nothing);
      await log.append([numbered(1)]);
      expect(await log.find({ id: 'event-2' })).toEqual(nothing);
      expect(await log.find({ id: 'event-1', source: '/other' })).toEqual(nothing);
      expect(await log.find({ id: 'event-' })).toEqual(nothing);
      expect(await log.find({ id: '' })).toEqual(nothing);
    });

    it('finds the events of all sources that have the id, in log order, up to a limit', async () => {
      const { log } = await open();
      const sources = ['/c', '/a', '/b'];
      await log.append(sources.map((source) => numbered(1, { source })));
      await log.append([numbered(1, { source: '/a' })]);
      const sourcesOf = async (limit?: number) => {
        const { entries, complete } = await log.find({ id: 'event-1', ...(limit ? { limit } : {}) });
        return { sources: entries.map(({ source }) => source), complete };
      };
      expect(await sourcesOf()).toEqual({ sources, complete: true });
      expect(await sourcesOf(3)).toEqual({ sources, complete: true });
      expect(await sourcesOf(2)).toEqual({ sources: ['/c', '/a'], complete: false });
      await expect(log.find({ id: 'event-1', limit: 0 })).rejects.toThrow(RangeError);
    });

    it('finds hostile ids', async () => {
      const { log } = await open();
      const ids = ['"', '\\', '\0', '\ud800', '%', "'", '__proto__', 'é', 'x'.repeat(1_000)];
      await log.append(ids.map((id) => numbered(1, { id })));
      for (const id of ids) {
        expect((await log.find({ id })).entries.map((entry) => entry.id)).toEqual([id]);
        expect((await log.find({ id, source: '/test' })).entries.map((entry) => entry.id)).toEqual([id]);
      }
    });

    it('finds only events of the exchanges that the log was opened for', async () => {
      const { log } = await open({ exchanges: ['numbers'] });
      await log.append([numbered(1), numbered(2, { exchange: 'others' })]);
      expect((await log.find({ id: 'event-1' })).entries).toHaveLength(1);
      for (const source of [{}, { source: '/test' }]) {
        expect(await log.find({ id: 'event-2', ...source })).toEqual({ entries: [], complete: true });
      }
    });

    if (another) {
      it('finds an event that another process has just appended', async () => {
        const { log, another: openAnother } = await open();
        const other = await openAnother();
        for (let n = 1; n <= 5; n++) {
          await other.append([numbered(n)]);
          expect((await log.find({ id: `event-${n}`, source: '/test' })).entries).toHaveLength(1);
          expect((await log.find({ id: `event-${n}` })).entries).toHaveLength(1);
        }
      });
    }

    if (!trim) return;
    it('does not find dropped entries', async () => {
      const { log, trim: trimTo } = await open();
      await log.append(numberedFrom(1, 5));
      await trimTo(2);
      expect((await log.find({ id: 'event-3' })).entries).toEqual([]);
      expect((await log.find({ id: 'event-4' })).entries).toHaveLength(1);
    });
  });
}
