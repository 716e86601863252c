import type { Clock } from '../time/clock.js';

/**
 * Decides when to flush: at once if the last flush was an interval or more ago, otherwise at the end of the interval. A
 * single event is therefore not delayed, and a burst needs few writes, which are the expensive part.
 */
export class FlushScheduler {
  readonly #flush: () => void;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #resting = false;
  #wanted = false;

  /** @param intervalMs the least time between two flushes, in milliseconds; 0 for one event loop turn */
  constructor(flush: () => void, intervalMs: number, clock: Clock) {
    this.#flush = flush;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  request(): void {
    if (this.#resting) this.#wanted = true;
    else this.#run();
  }

  #run(): void {
    this.#wanted = false;
    this.#resting = true;
    // Schedule first: the next flush must come even if this one throws.
    if (this.#intervalMs > 0) this.#clock.after(this.#intervalMs, () => this.#rested());
    else this.#clock.nextTurn(() => this.#rested());
    this.#flush();
  }

  #rested(): void {
    this.#resting = false;
    if (this.#wanted) this.#run();
  }
}
