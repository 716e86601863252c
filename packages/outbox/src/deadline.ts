/**
 * Settles as the promise does, or after `ms` milliseconds with what `late` returns or throws. `late` may act and return
 * the promise itself to continue waiting. The timer is cleared when the promise settles; a result after the deadline is
 * dropped.
 */
export function within<Result, Late = never>(
  ms: number,
  promise: PromiseLike<Result>,
  late: () => Late | PromiseLike<Late>,
): Promise<Result | Late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, ms);
    promise.then(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Waits; ends early, without an error, when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
