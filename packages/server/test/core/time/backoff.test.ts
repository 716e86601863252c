import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Backoff } from '../../../src/core/time/backoff.js';

it('the pauses double up to the maximum, and start again after a success', () => {
  const backoff = new Backoff(100, 1_000, () => 1);
  const next = () => Array.from({ length: 6 }, () => backoff.nextMs());
  expect(next()).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(100);
});

it('each pause lies between half of its bound and the whole bound', () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(random, { minLength: 1, maxLength: 20 }), (draws) => {
      const drawn = draws.values();
      const backoff = new Backoff(50, 5_000, () => drawn.next().value ?? 0);
      for (const [failures] of draws.entries()) {
        const bound = Math.min(50 * 2 ** failures, 5_000);
        const pauseMs = backoff.nextMs();
        expect(pauseMs).toBeGreaterThanOrEqual(bound / 2);
        expect(pauseMs).toBeLessThanOrEqual(bound);
      }
    }),
  );
});
