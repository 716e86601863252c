/**
 * Returns the delay before the next attempt: `firstMs` after the first failure, and twice as long after each further
 * one.
 *
 * @param failures the number of failures before the last one
 */
export function growing(firstMs: number, longestMs: number, failures: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30));
}

/**
 * Returns the delay of {@link growing}, shortened at random by up to a half, so that processes that failed together do
 * not retry together.
 */
export function growingApart(firstMs: number, longestMs: number, failures: number): number {
  const ms = growing(firstMs, longestMs, failures);
  return ms / 2 + (Math.random() * ms) / 2;
}
