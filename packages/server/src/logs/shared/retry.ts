import { pause } from '../../core/time/deadline.js';

const RETRY_MS = 5;

/**
 * Does `work`, again and again while it fails in a way that passes, with the event loop free in between. The first time at once.
 *
 * @throws what `work` throws: for good, or still after `timeoutMs`
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
