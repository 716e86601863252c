import type { PositionCodec } from '../../core/ports/positions.js';

/** Tells which of two events comes first, by a number that is larger for the later one. */
export interface Order {
  /** @returns undefined if it is not known: the order of such events is not checked */
  of(position: string, number: number | undefined): number | undefined;
}

/** The order of the log, for a run that can read positions because it publishes to the log itself. */
export function orderOfLog(positions: PositionCodec): Order {
  return { of: (position) => positions.decode(position)?.offset };
}

/** For connections that get different events, if positions cannot be read: nothing says which event comes first. */
export const UNKNOWN_ORDER: Order = { of: () => undefined };

/** How many numbers share one piece of memory. */
const PIECE = 4_096;

/** How many events of others are remembered: some 30 MB. */
const MOST_OTHERS = 262_144;

/**
 * The order in which events came for the first time, on whichever connection, for connections that all get the same events: a gateway that
 * delivers in log order everywhere delivers in one order everywhere.
 */
export class OrderOfArrival implements Order {
  readonly #own = new Map<number, Float64Array>();
  readonly #others = new Map<string, number>();
  #last = 0;

  of(position: string, number: number | undefined): number | undefined {
    return number === undefined ? this.#ofOther(position) : this.#ofOwn(number);
  }

  #ofOwn(number: number): number {
    const index = Math.floor(number / PIECE);
    const piece = this.#own.get(index) ?? new Float64Array(PIECE);
    this.#own.set(index, piece);
    const known = piece[number % PIECE];
    if (known) return known;
    this.#last += 1;
    piece[number % PIECE] = this.#last;
    return this.#last;
  }

  #ofOther(position: string): number | undefined {
    const known = this.#others.get(position);
    if (known !== undefined || this.#others.size >= MOST_OTHERS) return known;
    this.#last += 1;
    this.#others.set(position, this.#last);
    return this.#last;
  }
}
