export interface BackoffOptions {
  /** The shortest delay, in milliseconds. @default 500 */
  readonly minDelayMs?: number;
  /** The longest delay, in milliseconds. @default 30000 */
  readonly maxDelayMs?: number;
  /** How much the ceiling grows with each attempt. @default 2 */
  readonly factor?: number;
}

/**
 * Growing delays with jitter: each is drawn evenly between `minDelayMs` and a ceiling of `minDelayMs · factor ** attempt`,
 * at most `maxDelayMs`. The first is spread too, so that clients that were lost in one moment do not return in one.
 */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: Required<BackoffOptions>, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** The next delay, in milliseconds. */
  next(): number {
    const { minDelayMs, maxDelayMs, factor } = this.#options;
    this.#attempt++;
    const ceiling = Math.min(maxDelayMs, minDelayMs * factor ** this.#attempt);
    return minDelayMs + this.#random() * (ceiling - minDelayMs);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
