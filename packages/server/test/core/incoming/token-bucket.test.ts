import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rate, TokenBucket } from '../../../src/core/incoming/token-bucket.js';

describe('[fault A8] TokenBucket', () => {
  it('grants a burst, then the steady rate', () => {
    const bucket = new TokenBucket(new Rate({ perSecond: 10, burst: 3 }));
    expect([1, 2, 3].map(() => bucket.tryTake(1, 0))).toEqual([0, 0, 0]);
    expect(bucket.tryTake(1, 0)).toBe(100);
    expect(bucket.tryTake(1, 60)).toBe(40);
    expect(bucket.tryTake(1, 100)).toBe(0);
    expect(bucket.tryTake(1, 100)).toBe(100);
  });

  it('is full again after the time of its burst, and never holds more', () => {
    const bucket = new TokenBucket(new Rate({ perSecond: 10, burst: 3 }));
    expect(bucket.isFull(0)).toBe(true);
    bucket.tryTake(3, 0);
    expect(bucket.isFull(299)).toBe(false);
    expect(bucket.isFull(300)).toBe(true);
    expect(bucket.tryTake(4, 10_000)).toBeGreaterThan(0);
    expect(bucket.tryTake(3, 10_000)).toBe(0);
  });

  it('grants its whole burst at any time, and a refused request after the wait that it returned', () => {
    const now = fc.double({ min: 0, max: 1e10, noNaN: true });
    const perSecond = fc.double({ min: 1 / 3_600, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(now, perSecond, fc.integer({ min: 1, max: 100 }), (start, rate, burst) => {
        const bucket = new TokenBucket(new Rate({ perSecond: rate, burst }));
        for (let n = 0; n < burst; n++) expect(bucket.tryTake(1, start)).toBe(0);
        expect(bucket.tryTake(1, start + bucket.tryTake(1, start))).toBe(0);
      }),
    );
  });

  it('goes into debt for work that cannot be refused, and says how long the debt lasts', () => {
    const bucket = new TokenBucket(new Rate({ perSecond: 1_000, burst: 4_000 }));
    expect(bucket.take(4_000, 0)).toBe(0);
    expect(bucket.take(1_000, 0)).toBe(1_000);
    expect(bucket.take(500, 1_000)).toBe(500);
  });

  it('has no limit if the rate is 0 or infinite', () => {
    for (const perSecond of [0, Number.POSITIVE_INFINITY]) {
      const bucket = new TokenBucket(new Rate({ perSecond, burst: 1 }));
      for (let i = 0; i < 100; i++) expect(bucket.tryTake(1e9, 0)).toBe(0);
      expect(bucket.take(1e9, 0)).toBe(0);
      expect(bucket.isFull(0)).toBe(true);
    }
  });

  it('never grants more than burst and rate allow over any interval', () => {
    const steps = fc.array(fc.record({ afterMs: fc.nat(500), amount: fc.integer({ min: 1, max: 5 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 5, max: 20 }), (all, perSecond, burst) => {
        const bucket = new TokenBucket(new Rate({ perSecond, burst }));
        const granted: { at: number; amount: number }[] = [];
        let now = 0;
        for (const { afterMs, amount } of all) {
          now += afterMs;
          if (bucket.tryTake(amount, now) === 0) granted.push({ at: now, amount });
        }
        for (const [first, { at }] of granted.entries()) {
          let sum = 0;
          for (const grant of granted.slice(first)) {
            sum += grant.amount;
            expect(sum).toBeLessThanOrEqual(burst + ((grant.at - at) * perSecond) / 1_000 + 1e-6);
          }
        }
      }),
    );
  });
});
