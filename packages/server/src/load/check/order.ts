import type { PositionCodec } from '../../core/ports/positions.js';

/** Gives each event an ordinal; the later of two events has the larger one. */
export interface Order {
  /** @returns undefined if the order is unknown; such events are not checked for order */
  of(position: string, number: number | undefined): number | undefined;
}

/** The order of the log, for a run that publishes to the log itself and so can decode positions. */
export function orderOfLog(positions: PositionCodec): Order {
  return { of: (position) => positions.decode(position)?.offset };
}

/** For connections that get different events, if positions cannot be decoded: the order is unknown. */
export const UNKNOWN_ORDER: Order = { of: () => undefined };

/** How many numbers one array holds. */
const PIECE = 4_096;

/** How many events of other publishers are remembered: about 30 MB. */
const MOST_OTHERS = 262_144;

/**
 * The order in which events first arrived on any connection. It is for connections that all get the same events: a
 * gateway that delivers in log order on every connection delivers in the same order on every connection.
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
