/** PostgreSQL, or the way to it, says nothing. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`no answer from PostgreSQL within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

/**
 * Waits for an answer, but not for ever: a connection whose other end is gone without a word, or frozen, gives none.
 *
 * @throws NoAnswer after `ms` milliseconds; the promise goes on, and what becomes of it then is told to `late`
 */
export function within<T>(ms: number, answer: PromiseLike<T>, late: (answer: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new NoAnswer(ms));
    }, ms);
    answer.then(
      (value) => {
        clearTimeout(timer);
        if (isLate) late(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Resolves after `ms` milliseconds, or as soon as the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
