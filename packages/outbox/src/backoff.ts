/**
 * The pause before the next try: `firstMs` after the first failure, and twice as long after each further one.
 *
 * @param failures how many there were before the last
 */
export function growing(firstMs: number, longestMs: number, failures: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30));
}

/** {@link growing}, shortened at random by up to a half, so that many that failed together do not come back together. */
export function growingApart(firstMs: number, longestMs: number, failures: number): number {
  const ms = growing(firstMs, longestMs, failures);
  return ms / 2 + (Math.random() * ms) / 2;
}
