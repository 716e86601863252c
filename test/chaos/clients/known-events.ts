import type { PregonEvent } from '@pregon/protocol';
import type { Random } from '../random.js';

const CAPACITY = 500;

/** A sample of received events from the whole run, as points from which other followers begin. */
export class KnownEvents {
  readonly #random: Random;
  readonly #known: { readonly id: string; readonly position: string }[] = [];
  #seen = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Keeps each event with the same probability (reservoir sampling). */
  add({ id, position }: PregonEvent): void {
    if (position === undefined) return;
    const place = this.#seen < CAPACITY ? this.#seen : this.#random.integer(0, this.#seen);
    this.#seen += 1;
    if (place < CAPACITY) this.#known[place] = { id, position };
  }

  any(): { readonly id: string; readonly position: string } | undefined {
    return this.#known.length === 0 ? undefined : this.#random.pick(this.#known);
  }
}
