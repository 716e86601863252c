import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram, QUANTILE_ERROR } from '../../src/load/check/histogram.js';

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('Histogram', () => {
  it('gives quantiles that are never too small, and too large by less than the error bound', () => {
    const value = fc.oneof(fc.nat(300), fc.nat(1_000_000), fc.integer({ min: 0, max: 2 ** 37 - 1 }));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 400 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, part) => {
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(part * sorted.length)) - 1] ?? 0;
          const quantile = histogramOf(values).quantile(part);
          expect(quantile).toBeGreaterThanOrEqual(exact);
          expect(quantile).toBeLessThanOrEqual(exact * (1 + QUANTILE_ERROR));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is exact at both ends, and below 256', () => {
    const histogram = histogramOf([7, 255, 130, 98_765_432]);
    expect([histogram.count, histogram.min, histogram.max]).toEqual([4, 7, 98_765_432]);
    expect([0, 0.25, 0.5, 0.75, 1].map((part) => histogram.quantile(part))).toEqual([7, 7, 130, 255, 98_765_432]);
  });

  it('counts negative values as 0, and values that are too large as its maximum', () => {
    const histogram = histogramOf([-5, 1e15, Number.POSITIVE_INFINITY, Number.NaN]);
    expect([histogram.min, histogram.max, histogram.count]).toEqual([0, 2 ** 37 - 1, 4]);
  });

  it('gives 0 if it is empty', () => {
    const histogram = new Histogram();
    expect([histogram.min, histogram.max, histogram.quantile(0.5)]).toEqual([0, 0, 0]);
  });
});
