import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff.js';

const options = fc
  .record({
    minDelayMs: fc.integer({ min: 1, max: 5_000 }),
    room: fc.integer({ min: 0, max: 100_000 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
  })
  .map(({ minDelayMs, room, factor }) => ({ minDelayMs, maxDelayMs: minDelayMs + room, factor }));

describe('the delays between attempts', () => {
  it('[003-13] lie between minDelayMs and a ceiling that grows up to maxDelayMs', () => {
    fc.assert(
      fc.property(
        options,
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 400 }),
        (given, draws) => {
          let draw = 0;
          const backoff = new Backoff(given, () => draw);
          let ceiling = given.minDelayMs;
          for (draw of draws) {
            ceiling = Math.min(given.maxDelayMs, ceiling * given.factor);
            const delay = backoff.next();
            expect(delay).toBeGreaterThanOrEqual(given.minDelayMs);
            expect(delay).toBeLessThanOrEqual(ceiling * (1 + 1e-9));
          }
        },
      ),
    );
  });

  it('[003-13] grow, are spread from the first one on, and start again after a reset', () => {
    let draw = 0.999;
    const backoff = new Backoff({ minDelayMs: 500, maxDelayMs: 30_000, factor: 2 }, () => draw);
    const first = [backoff.next(), backoff.next(), backoff.next()].map(Math.round);
    expect(first).toEqual([1_000, 1_999, 3_997]);
    for (let i = 0; i < 20; i++) backoff.next();
    expect(backoff.next()).toBeGreaterThan(29_000);
    backoff.reset();
    draw = 0;
    expect(backoff.next()).toBe(500);
  });
});
