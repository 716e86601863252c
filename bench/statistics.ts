/** @throws RangeError if there are no values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that the fraction `part` of all values does not exceed. */
export function quantile(values: Iterable<number>, part: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (value === undefined) throw new RangeError('there are no values to take a quantile of');
  return value;
}
