import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byLength } from '../../../../test/support/long.js';
import { type Step, schedule, World, type WorldOptions } from './support/schedule.js';

/** A thousand schedules take about a second. */
const RUNS = byLength({ quick: 400, check: 1_000, long: 200_000 });

const options: fc.Arbitrary<WorldOptions> = fc.record({
  // No bytes, about four events, everything: so events come from the edge, the log and the window.
  historyBytes: fc.constantFrom(0, 2_500, 60_000, 10_000_000),
  flushIntervalMs: fc.constantFrom(0, 5),
  limits: fc.array(fc.constantFrom(0, 500, 100_000, Number.POSITIVE_INFINITY), { minLength: 2, maxLength: 4 }),
  exchange: fc.constantFrom(undefined, 'one'),
  mostEvents: fc.constantFrom(1, 4, 20_000),
});

async function play(world: World, steps: readonly Step[]): Promise<void> {
  try {
    for (const step of steps) {
      await world.run(step);
      if (world.failures.length > 0) break;
    }
    await world.finish();
  } finally {
    await world.close();
  }
  expect(world.failures).toEqual([]);
  expect(world.complaints).toEqual([]);
}

describe('any schedule of appends, flushes, slow links, slow logs, subscriptions and reconnects', () => {
  it('[I-1][I-2][I-3] gives each subscription every matching event after its position, in order, once', async () => {
    let delivered = 0;
    await fc.assert(
      fc.asyncProperty(options, schedule({ forgetful: false }), async (opts, steps) => {
        const world = await World.open(opts);
        await play(world, steps);
        // A log that drops nothing gives no reason for a reset.
        expect(world.resets).toEqual([]);
        expect(world.overfilled).toBe(0);
        delivered += world.delivered;
      }),
      { numRuns: RUNS },
    );
    expect(delivered).toBeGreaterThan(1_000);
  });

  it('[I-2][I-4] gives the same or a reset, with retention, replaced logs and failed reads', async () => {
    await fc.assert(
      fc.asyncProperty(options, schedule({ forgetful: true }), async (opts, steps) => {
        const world = await World.open(opts);
        await play(world, steps);
        if (world.trims + world.replacements === 0) expect(world.resets).toEqual([]);
        expect(world.overfilled).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});
