import { type Timers, waitingTimers } from './clock.js';

/**
 * Settles like the promise. If the promise does not settle within `ms` milliseconds, settles with what `late` returns
 * or throws instead. `late` may return the promise itself, to go on waiting. The timer is cancelled when the promise
 * settles; a result after the deadline is dropped.
 *
 * @param timers timers that keep the process alive. Pass a clock instead if the process may exit before the deadline
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

/**
 * Resolves when the promise does, or after `ms` milliseconds.
 *
 * @throws the error of the promise, if it rejects in time
 */
export async function atMost(ms: number, promise: PromiseLike<unknown>, timers?: Timers): Promise<void> {
  await within(ms, promise, () => undefined, timers);
}

/** @throws Error that names `what`, if the promise does not settle within `ms` milliseconds */
export function answerWithin<Answer>(ms: number, what: string, promise: PromiseLike<Answer>): Promise<Answer> {
  return within(ms, promise, () => {
    throw new Error(`${what}: no answer within ${Math.round(ms)} ms`);
  });
}

/** Resolves after `ms` milliseconds, or when the signal is aborted. Never rejects. */
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
