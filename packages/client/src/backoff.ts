export interface BackoffOptions {
  /** The minimum delay, in milliseconds. @default 500 */
  readonly minDelayMs?: number;
  /** The maximum delay while the page is visible, in milliseconds. In Node.js it always applies. @default 5000 */
  readonly maxDelayMs?: number;
  /** The maximum delay while the page is hidden, in milliseconds. @default 30000, or `maxDelayMs` if that is more */
  readonly hiddenMaxDelayMs?: number;
  /** The growth of the upper limit with each attempt. @default 2 */
  readonly factor?: number;
}

type Delays = Required<Omit<BackoffOptions, 'hiddenMaxDelayMs'>>;

/**
 * Exponential backoff with jitter. Each delay is uniformly random between `minDelayMs` and `minDelayMs · factor **
 * attempt`; the upper limit is at most `maxDelayMs`, or the maximum that the caller passes. The first delay is random
 * too, so that clients that lost their connection together do not reconnect together.
 */
export class Backoff {
  readonly #options: Delays;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: Delays, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** Returns the next delay, in milliseconds. @param maxDelayMs replaces the maximum from the options */
  next(maxDelayMs = this.#options.maxDelayMs): number {
    const { minDelayMs, factor } = this.#options;
    this.#attempt++;
    const ceiling = Math.max(minDelayMs, Math.min(maxDelayMs, minDelayMs * factor ** this.#attempt));
    return minDelayMs + this.#random() * (ceiling - minDelayMs);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
