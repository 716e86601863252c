/** Exponential backoff with jitter: processes that were disconnected at the same time do not retry at the same time. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #ms: number;

  /**
   * @param firstMs the upper bound of the first pause, in milliseconds; it doubles with each pause
   * @param maxMs the limit of that bound
   * @param random returns a number from 0 to 1
   */
  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#ms = firstMs;
  }

  /** The next pause in milliseconds: between half of the current bound and all of it. */
  nextMs(): number {
    const bound = this.#ms;
    this.#ms = Math.min(bound * 2, this.#maxMs);
    return bound / 2 + (this.#random() * bound) / 2;
  }

  reset(): void {
    this.#ms = this.#firstMs;
  }
}
