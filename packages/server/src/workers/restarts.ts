import { Backoff } from '../core/time/backoff.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** A worker that served for this long did not fail at its start. */
const SETTLED_MS = 10_000;

/** After this many failures in a row, and if no worker serves, workers are no longer restarted. */
const MOST_FAILURES = 5;

/** Decides when an ended worker is restarted: with backoff if it ends again and again. */
export class Restarts {
  readonly #backoff: Backoff;
  #failures = 0;

  /** @param random from 0 to 1 */
  constructor(random: () => number) {
    this.#backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random);
  }

  /** @param servedMs how long the worker served; 0 if it never did. @returns milliseconds until the next start */
  ended(servedMs: number): number {
    if (servedMs >= SETTLED_MS) {
      this.#failures = 0;
      this.#backoff.reset();
    }
    this.#failures += 1;
    return Math.round(this.#backoff.nextMs());
  }

  /** Whether restarting is pointless, provided that no other worker serves. */
  get isHopeless(): boolean {
    return this.#failures >= MOST_FAILURES;
  }
}
