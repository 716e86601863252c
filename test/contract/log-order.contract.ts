import fc from 'fast-check';
import { expect, it } from 'vitest';
import { numbered } from '../support/log/events.js';
import { idOf, Recorder, readAll } from '../support/log/recorder.js';
import type { Open } from './log-subject.js';

/** What may be done to a log, in any order: append a batch (ids from a small pool, so that some are known), or read on. */
const action = fc.oneof(
  fc.record({ append: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }) }),
  fc.record({
    readOn: fc.record({ maxCount: fc.integer({ min: 1, max: 8 }), maxBytes: fc.integer({ min: 1, max: 900 }) }),
  }),
);

/** Order and once, for any interleaving of appends and readers. */
export function describeLogOrder(open: Open): void {
  it('[I-1] [I-3] any interleaving of appends and reads gives all readers one sequence, each event once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), async (actions) => {
        const { log } = await open();
        const recorder = new Recorder();
        const stop = log.follow(await log.floor(), recorder);
        const model = new Set<string>();
        const read: string[] = [];
        const pending: Promise<unknown>[] = [];
        let after = 0;
        for (const step of actions) {
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
      }),
      { numRuns: 25 },
    );
  });
}
