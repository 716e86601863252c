import type { LogPoint } from '@pregon/protocol';

/** Whoever waits to learn where events came to stand, by the events' keys. */
export class PointWaiters {
  readonly #waiting = new Map<string, Set<(point: LogPoint) => void>>();

  /** @returns how to wait no longer */
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
