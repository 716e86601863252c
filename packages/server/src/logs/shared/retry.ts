import { pause } from '../../core/time/deadline.js';

const RETRY_MS = 5;

/**
 * Calls `work`, first at once, then again while it fails with a temporary error. The event loop is free between the
 * attempts.
 *
 * @param passes whether an error is temporary
 * @throws the error of `work` if it is permanent, or if it still occurs after `timeoutMs` milliseconds
 */
export async function retryWhile<Result>(
  passes: (error: unknown) => boolean,
  timeoutMs: number,
  work: () => Result,
): Promise<Result> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!passes(error) || performance.now() >= deadline) throw error;
    }
    await pause(RETRY_MS);
  }
}
