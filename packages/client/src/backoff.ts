export interface BackoffOptions {
  /** The shortest delay, in milliseconds. @default 500 */
  readonly minDelayMs?: number;
  /** The longest delay while the page is visible, in milliseconds; in Node it always is. @default 5000 */
  readonly maxDelayMs?: number;
  /** The longest delay while the page is hidden, in milliseconds. @default 30000, or `maxDelayMs` if that is more */
  readonly hiddenMaxDelayMs?: number;
  /** How much the ceiling grows with each attempt. @default 2 */
  readonly factor?: number;
}

type Delays = Required<Omit<BackoffOptions, 'hiddenMaxDelayMs'>>;

/**
 * Growing delays with jitter: each is drawn evenly between `minDelayMs` and a ceiling of `minDelayMs · factor ** attempt`,
 * at most `maxDelayMs`, or what the caller allows. The first delay is random too, so that clients that lost their connection together do not
 * return together.
 */
export class Backoff {
  readonly #options: Delays;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: Delays, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** The next delay, in milliseconds. @param maxDelayMs replaces that of the options */
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
