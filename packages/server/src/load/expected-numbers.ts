/**
 * The numbers of the events that a connection must get. Event number n is published to topic n modulo the number of
 * topics, so the subscribed topics determine the numbers.
 */
export class ExpectedNumbers {
  readonly #topics: number;
  readonly #wanted: readonly number[];

  /**
   * @param topics how many topics are published to, one after the other
   * @param wanted the indices of the subscribed topics, ascending, each once
   */
  constructor(topics: number, wanted: readonly number[]) {
    this.#topics = topics;
    this.#wanted = wanted;
  }

  has(number: number): boolean {
    if (this.#wanted.length === this.#topics) return true;
    const index = number % this.#topics;
    return this.#wanted[this.#below(index)] === index;
  }

  /** The first expected number from `number` on; infinite if there is none. */
  from(number: number): number {
    if (this.#wanted.length === this.#topics) return number;
    const [first] = this.#wanted;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const index = number % this.#topics;
    const start = number - index;
    return start + (this.#wanted[this.#below(index)] ?? first + this.#topics);
  }

  /** How many numbers are expected from `from` (inclusive) to `end` (exclusive). */
  count(from: number, end: number): number {
    return end <= from ? 0 : this.#countTo(end) - this.#countTo(from);
  }

  #countTo(end: number): number {
    return Math.floor(end / this.#topics) * this.#wanted.length + this.#below(end % this.#topics);
  }

  /** How many of the subscribed topics have a smaller index. */
  #below(index: number): number {
    let low = 0;
    let high = this.#wanted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#wanted[middle] ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
