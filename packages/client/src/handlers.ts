/**
 * Calls what the application handed in. What it throws, or what a promise that it returns rejects with, goes to `failed`, so that the
 * caller goes on in any case.
 */
export function callHandler(run: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(failed);
  } catch (cause) {
    failed(cause);
  }
}

/** Handlers of one kind, called in the order in which they were added. */
export class Handlers<Value> {
  // Each in an object of its own: the same function added twice is two handlers, each with its own end.
  readonly #entries = new Set<{ readonly handle: (value: Value) => unknown }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Returns what takes it away again. */
  add(handle: (value: Value) => unknown): () => void {
    if (typeof handle !== 'function') throw new TypeError('a handler must be a function');
    const entry = { handle };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  call(value: Value, failed: (cause: unknown) => void): void {
    for (const entry of [...this.#entries]) {
      if (this.#entries.has(entry)) callHandler(() => entry.handle(value), failed);
    }
  }
}

/** The last resort for an error that nobody listens to: the console, and in browsers `window.onerror` too. */
export function reportUnheard(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else console.error(error);
}
