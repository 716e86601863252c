/** Growing pauses between tries, each a little random, so that many who were cut off at once do not come back at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #ms: number;

  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#ms = firstMs;
  }

  /** The next pause: between half of the present bound and all of it. */
  nextMs(): number {
    const bound = this.#ms;
    this.#ms = Math.min(bound * 2, this.#maxMs);
    return bound / 2 + (Math.random() * bound) / 2;
  }

  reset(): void {
    this.#ms = this.#firstMs;
  }
}
