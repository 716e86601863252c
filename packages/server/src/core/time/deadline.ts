import { type Timers, waitingTimers } from './clock.js';

/**
 * Settles as the promise does, or with what `late` returns or throws after `ms` milliseconds. `late` may act, and return the promise
 * itself to wait on. The timer is cancelled when the promise settles; what the promise brings after the deadline is dropped.
 *
 * @param timers those of a clock do not keep the process alive, which is right for a process that ends
 */
export function within<Result, Late = never>(
  ms: number,
  promise: PromiseLike<Result>,
  late: () => Late | PromiseLike<Late>,
  timers: Timers = waitingTimers,
): Promise<Result | Late> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    });
    promise.then(
      (result) => {
        cancel();
        resolve(result);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** Resolves when the promise does, and after `ms` milliseconds at the latest. @throws what the promise is rejected with in time */
export async function atMost(ms: number, promise: PromiseLike<unknown>, timers?: Timers): Promise<void> {
  await within(ms, promise, () => undefined, timers);
}

/** @throws Error that names `what`, if the promise is not settled in time */
export function answerWithin<Answer>(ms: number, what: string, promise: PromiseLike<Answer>): Promise<Answer> {
  return within(ms, promise, () => {
    throw new Error(`${what}: no answer within ${Math.round(ms)} ms`);
  });
}

/** Waits; ends early, without an error, when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal, timers: Timers = waitingTimers): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = timers.after(ms, end);
    signal?.addEventListener('abort', end);
  });
}
