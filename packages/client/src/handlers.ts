/**
 * Calls a function of the application. If it throws, or returns a promise that rejects, `failed` gets the reason; the
 * caller always continues.
 */
export function callHandler(run: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(failed);
  } catch (cause) {
    failed(cause);
  }
}

/** A list of handlers for one kind of event, called in the order in which they were added. */
export class Handlers<Value> {
  // Each handler has its own entry object: a function that was added twice is two handlers, removed separately.
  readonly #entries = new Set<{ readonly handle: (value: Value) => unknown }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a handler. Returns a function that removes it. */
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

/** Reports an error that has no listener: to the console, and in browsers also to `window.onerror`. */
export function reportUnheard(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else console.error(error);
}
