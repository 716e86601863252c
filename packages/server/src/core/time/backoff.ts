/** Growing pauses between tries, each a little random, so that many that were cut off at once do not come back at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #ms: number;

  /** @param random from 0 to 1 */
  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#ms = firstMs;
  }

  /** The next pause: between half of the present bound and all of it. */
  nextMs(): number {
    const bound = this.#ms;
    this.#ms = Math.min(bound * 2, this.#maxMs);
    return bound / 2 + (this.#random() * bound) / 2;
  }

  reset(): void {
    this.#ms = this.#firstMs;
  }
}
