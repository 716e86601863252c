import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered, numberedFrom } from '../events.js';
import type { Open } from '../open.js';
import { idOf, readAll } from '../recorder.js';

/** Pages of entries, and where they end. */
export function describeReading({ it }: TestRunner, open: Open): void {
  it('ends a page at the requested count, bytes or offset', async () => {
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

  it('returns an empty page that ends at the head for a read at the head', async () => {
    const { log } = await open();
    expect(await log.read({ after: 0 })).toEqual({ entries: [], through: await log.floor(), complete: true });
    const [, last] = await log.append(numberedFrom(1, 2));
    expect(await log.read({ after: last?.offset ?? 0 })).toEqual({ entries: [], through: last, complete: true });
  });

  it('[000-17] reads only entries of the requested exchanges, and moves past the others', async () => {
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

  it('[I-2] makes progress with every incomplete page, however many entries of other exchanges it passes', async () => {
    const { log } = await open({ exchanges: ['numbers'] });
    const [first] = await log.append([numbered(1)]);
    // Some logs must write a marker to learn where they end. Such markers are created here.
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

  it('rejects an invalid request with a RangeError', async () => {
    const { log } = await open();
    await expect(log.read({ after: -1 })).rejects.toThrow(RangeError);
    await expect(log.read({ after: 0.5 })).rejects.toThrow(RangeError);
    await expect(log.read({ after: 0, maxCount: 0 })).rejects.toThrow(RangeError);
    await expect(log.read({ after: 0, maxBytes: 0 })).rejects.toThrow(RangeError);
  });
}
