/** A mean ratio with its 95 % confidence interval. */
export interface Interval {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Student's t for a two-sided probability of 95 %, by degrees of freedom from 1; the last value is for all larger
 * numbers.
 */
const STUDENT_T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042, 1.96,
];

/**
 * The geometric mean of paired ratios, with Student's interval on their logarithms: a ratio of 2 and one of 1/2 are
 * equally far from 1.
 *
 * @throws RangeError if there are fewer than two ratios
 */
export function ratioInterval(ratios: readonly number[]): Interval {
  if (ratios.length < 2) throw new RangeError('an interval needs at least two pairs');
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1);
  const t = STUDENT_T[Math.min(logs.length - 1, STUDENT_T.length) - 1] ?? 1.96;
  const margin = t * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - margin), high: Math.exp(mean + margin) };
}
