import { describe, expect, it } from 'vitest';
import { ratioInterval } from '../../bench/against/interval.js';

describe('The interval of a ratio measured in pairs', () => {
  it('has the geometric mean, and reaches equally far to both sides', () => {
    const { ratio, low, high } = ratioInterval([0.5, 2, 1, 1]);
    expect(ratio).toBeCloseTo(1);
    expect(low * high).toBeCloseTo(1);
  });

  it('agrees with a t interval calculated by hand', () => {
    // Logarithms 0, 0.1, 0.2: mean 0.1, standard deviation 0.1, t of two degrees of freedom 4.303.
    const { ratio, low, high } = ratioInterval([1, Math.exp(0.1), Math.exp(0.2)]);
    expect(Math.log(ratio)).toBeCloseTo(0.1);
    expect(Math.log(high)).toBeCloseTo(0.1 + (4.303 * 0.1) / Math.sqrt(3));
    expect(Math.log(low)).toBeCloseTo(0.1 - (4.303 * 0.1) / Math.sqrt(3));
  });

  it('lies wholly above a tolerance only if nearly all pairs do', () => {
    expect(ratioInterval([1.06, 1.05, 1.07, 1.06]).low).toBeGreaterThan(1.03);
    expect(ratioInterval([1.2, 0.9, 1.1, 1.0]).low).toBeLessThan(1.03);
  });

  it('is refused for a single pair', () => {
    expect(() => ratioInterval([1])).toThrow(RangeError);
  });
});
