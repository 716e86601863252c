import { messageOf } from '@pregon/protocol';

/** How often a property is tested. */
const RUNS = 25;

/** Pseudo-random numbers: the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1));
  }

  /** One of the arguments. */
  pick<T>(first: T, ...others: readonly T[]): T {
    return others[this.integer(0, others.length) - 1] ?? first;
  }

  /** A list of at least `least` and at most `most` elements. */
  list<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: this.integer(least, most) }, make);
  }

  /** In [0, 1): the mulberry32 of Tommy Ettinger, which is enough for tests. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/**
 * Tests a property several times with different random numbers. Reports the seed of a failed run in the error.
 *
 * @param seed the seed of the first run, to repeat a failed run. @default a random seed
 */
export async function forAll(
  property: (random: Random) => Promise<void>,
  seed: number = Math.floor(Math.random() * 2 ** 32),
): Promise<void> {
  for (let run = 0; run < RUNS; run++) {
    try {
      await property(new Random(seed + run));
    } catch (cause) {
      throw new Error(`failed with seed: ${seed + run}\n${messageOf(cause)}`, { cause });
    }
  }
}
