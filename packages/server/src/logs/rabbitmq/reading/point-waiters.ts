import type { LogPoint } from '@pregon/protocol';

/** Callbacks that wait for the points of events, by the keys of the events. */
export class PointWaiters {
  readonly #waiting = new Map<string, Set<(point: LogPoint) => void>>();

  /** @returns a function that stops waiting */
  wait(key: string, found: (point: LogPoint) => void): () => void {
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(found));
    return () => {
      waiting.delete(found);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    };
  }

  found(key: string, point: LogPoint): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    for (const tell of waiting) tell(point);
  }
}
