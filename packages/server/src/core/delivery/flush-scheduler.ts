import type { Clock } from '../time/clock.js';

/**
 * When to flush: at once where nothing was flushed lately, then not before an interval has passed. So an event that comes
 * alone waits for nothing, and a burst goes out in few writes, which is what a write costs.
 */
export class FlushScheduler {
  readonly #flush: () => void;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #resting = false;
  #wanted = false;

  /** @param intervalMs the least time between two flushes; 0 for one turn of the event loop */
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
    // Before the flush: whatever became of it, the next one must come.
    if (this.#intervalMs > 0) this.#clock.after(this.#intervalMs, () => this.#rested());
    else this.#clock.nextTurn(() => this.#rested());
    this.#flush();
  }

  #rested(): void {
    this.#resting = false;
    if (this.#wanted) this.#run();
  }
}
