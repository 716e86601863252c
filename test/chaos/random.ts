/** Random numbers that are the same for the same seed and purpose, so that a run can be repeated. */
export class Random {
  #state: number;

  /** @param purpose separates the numbers of one part of the run from those of another */
  constructor(seed: number, purpose: string) {
    this.#state = seed >>> 0;
    for (let i = 0; i < purpose.length; i++) {
      this.#state = Math.imul(this.#state ^ purpose.charCodeAt(i), 0x01000193) >>> 0;
    }
    this.fraction();
  }

  /** From 0 to less than 1 (mulberry32). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** An integer, both ends included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  /**
   * Milliseconds between two limits, on a logarithmic scale, because an outage of 50 ms finds other faults than one of
   * 5 s.
   */
  duration(fromMs: number, toMs: number): number {
    return Math.round(fromMs * (toMs / fromMs) ** this.fraction());
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** Picks by weight. */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T {
    let left = this.fraction() * items.reduce((sum, { weight }) => sum + weight, 0);
    for (const item of items) {
      left -= item.weight;
      if (left < 0) return item;
    }
    return this.pick(items.slice(-1));
  }
}
