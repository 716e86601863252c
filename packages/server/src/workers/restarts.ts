import { Backoff } from '../core/time/backoff.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** A worker that has served as long as this has not failed at its start. */
const SETTLED_MS = 10_000;

/** After how many failures in a row, while no worker serves at all, nobody is started any more. */
const MOST_FAILURES = 5;

/** When a worker that ended is started again: soon, and with growing pauses where it ends again and again. */
export class Restarts {
  readonly #backoff: Backoff;
  #failures = 0;

  /** @param random from 0 to 1 */
  constructor(random: () => number) {
    this.#backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random);
  }

  /** @param servedMs how long it served; 0 where it never did. @returns milliseconds until the next start */
  ended(servedMs: number): number {
    if (servedMs >= SETTLED_MS) {
      this.#failures = 0;
      this.#backoff.reset();
    }
    this.#failures += 1;
    return Math.round(this.#backoff.nextMs());
  }

  /** Whether there is no use in going on, where nobody else serves either. */
  get isHopeless(): boolean {
    return this.#failures >= MOST_FAILURES;
  }
}
