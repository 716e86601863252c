import { expect } from '../../assertions/expect.js';
import { forAll, type Random } from '../../random.js';
import type { TestRunner } from '../../runner.js';
import { numbered } from '../events.js';
import type { Open } from '../open.js';
import { idOf, Recorder, readAll } from '../recorder.js';

/**
 * A random action on a log: append a batch (with ids from a small pool, so that some are known), or read the next page.
 */
type Action = { readonly append: number[] } | { readonly readOn: { maxCount: number; maxBytes: number } };

function anyAction(random: Random): Action {
  if (random.pick(true, false)) return { append: random.list(0, 40, () => random.integer(1, 40)) };
  return { readOn: { maxCount: random.integer(1, 8), maxBytes: random.integer(1, 900) } };
}

/** Order and no duplicates, for any interleaving of appends and reads. */
export function describeLogOrder({ it }: TestRunner, open: Open, seed: number | undefined): void {
  it('[I-1] [I-3] gives all readers the same sequence, each event once, for any interleaving of appends and reads', async () => {
    await forAll(async (random) => {
      const { log } = await open();
      const recorder = new Recorder();
      const stop = log.follow(await log.floor(), recorder);
      const model = new Set<string>();
      const read: string[] = [];
      const pending: Promise<unknown>[] = [];
      let after = 0;
      for (const step of random.list(1, 12, () => anyAction(random))) {
        if ('append' in step) {
          const batch = step.append.map((n) => numbered(n));
          for (const { id } of batch) model.add(id);
          pending.push(log.append(batch));
        } else {
          const page = await log.read({ after, ...step.readOn });
          read.push(...page.entries.map(idOf));
          after = page.through.offset;
        }
      }
      await Promise.all(pending);
      read.push(...(await readAll(log, after)).map(idOf));
      await recorder.untilCount(model.size);
      await stop();
      expect(read).toEqual([...model]);
      expect(recorder.ids).toEqual([...model]);
    }, seed);
  });
}
