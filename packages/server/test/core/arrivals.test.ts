import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arrivals, type ArrivalsLimits } from '../../src/core/delivery/arrivals.js';
import type { LogFollower } from '../../src/core/ports/log-entry.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';
import { openPositions } from './support/positions.js';
import { event, events } from './support/square.js';

/** A page of the log. */
const PAGE = 1_000;

async function start(limits: ArrivalsLimits) {
  const log = openMemoryLog();
  let follows = 0;
  const counted: Pick<typeof log, 'follow'> = {
    follow: (...args) => {
      follows += 1;
      return log.follow(...args);
    },
  };
  const told: string[] = [];
  const arrivals = new Arrivals(
    { ...limits, log: counted, positions: openPositions, after: await log.head() },
    {
      appended: () => {},
      replaced: () => told.push('replaced'),
      unavailable: ({ message }) => told.push(message),
      available: () => told.push('available'),
    },
  );
  return { log, arrivals, told, follows: () => follows };
}

/** Long enough for every page that a log would deliver without a limit. */
async function turns(count = 20): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}

describe('[I-7] events that wait to be matched', () => {
  it('number at most the limit and one page; the log is followed again when half of them are taken', async () => {
    const { log, arrivals, follows } = await start({ mostEvents: 2_500 });
    await log.append(events(10_000));
    await turns();
    expect(arrivals.waiting).toHaveLength(3 * PAGE);
    arrivals.take(1_000);
    await turns();
    expect([arrivals.waiting.length, follows()]).toEqual([2_000, 1]);
    arrivals.take(1_000);
    await turns();
    expect([arrivals.waiting.length, follows()]).toEqual([3 * PAGE, 2]);
    await arrivals.close();
  });

  it('do not delay the report that the log is available again, even during a pause', async () => {
    const log = openMemoryLog();
    await log.append(events(3_000));
    const page = async (after: number) => log.read({ after, maxCount: PAGE });
    const followers: LogFollower[] = [];
    const told: string[] = [];
    const arrivals = new Arrivals(
      {
        mostEvents: 1,
        log: {
          follow(_, follower) {
            followers.push(follower);
            return async () => {};
          },
        },
        positions: openPositions,
        after: await log.floor(),
      },
      {
        appended: () => told.push('appended'),
        replaced: () => {},
        unavailable: ({ message }) => told.push(message),
        available: () => told.push('available'),
      },
    );
    followers[0]?.unavailable(new Error('away'));
    // This page was read before the outage, and arrives late.
    followers[0]?.appended(await page(0));
    followers[0]?.available();
    arrivals.take(PAGE);
    await turns(1);
    followers[1]?.appended(await page(1_000));
    expect(told).toEqual(['away', 'available', 'appended', 'appended']);
    await arrivals.close();
  });

  it('are limited in bytes', async () => {
    const { log, arrivals } = await start({ mostBytes: 1_048_576 });
    await log.append(events(100, 'thing.1.done', { data: 'x'.repeat(65_536) }));
    await turns();
    const bytes = arrivals.waiting.reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeGreaterThanOrEqual(1_048_576);
    // A page has 256 KiB.
    expect(bytes).toBeLessThan(1_048_576 + 2 * 262_144);
    await arrivals.close();
  });

  it('[I-1][I-2][I-3] are delivered once each, in order, however many are taken at a time', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ append: fc.integer({ min: 1, max: 1_500 }) }),
        fc.record({ take: fc.nat(2_000) }),
        fc.record({ turns: fc.nat(3) }),
      ),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3_000 }), async (all, mostEvents) => {
        const { log, arrivals, told } = await start({ mostEvents });
        const taken: number[] = [];
        let through = 0;
        let appended = 0;
        const take = (count: number) => {
          const arrived = arrivals.take(count);
          if (!arrived) return;
          taken.push(...arrived.events.map(({ offset }) => offset));
          expect(arrived.through.offset).toBeGreaterThanOrEqual(through);
          through = arrived.through.offset;
        };
        for (const step of all) {
          if ('append' in step) appended += (await log.append(events(step.append))).length;
          else if ('take' in step) take(step.take);
          else await turns(step.turns);
          expect(arrivals.waiting.length).toBeLessThan(mostEvents + PAGE);
        }
        while (taken.length < appended) {
          await turns(2);
          take(Number.POSITIVE_INFINITY);
        }
        expect(taken).toEqual(Array.from({ length: appended }, (_, n) => n + 1));
        expect([through, told]).toEqual([appended, []]);
        await arrivals.close();
      }),
      { numRuns: 100, examples: [[[{ append: 2 }, { turns: 3 }, { take: 0 }, { take: 1 }], 3_000]] },
    );
  });

  it('lead to a reported error if the log cannot be followed again, and the process continues', async () => {
    const { log, arrivals, told } = await start({ mostEvents: 1 });
    await log.append([event('a'), event('b')]);
    await turns();
    await log.close();
    arrivals.take(2);
    await turns();
    expect(told).toEqual([expect.stringMatching(/closed/)]);
    await arrivals.close();
  });

  it('are no longer collected after close, even if the log was about to be followed again', async () => {
    const { log, arrivals } = await start({ mostEvents: 1 });
    await log.append([event('a')]);
    await turns();
    arrivals.take(1);
    await arrivals.close();
    await log.append([event('b')]);
    await turns();
    expect(arrivals.waiting).toEqual([]);
  });
});
