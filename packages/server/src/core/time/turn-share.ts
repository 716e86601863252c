import type { Clock } from './clock.js';

/**
 * A share of each event loop turn for one kind of work, so that much of it delays other work by that share at most. The
 * share of a turn begins with the first piece of work. Pieces that find it used up wait in a queue of their owner, which
 * continues with them in `onTurn`.
 *
 * A piece is never interrupted, so a turn can take the share and one piece more.
 */
export class TurnShare {
  readonly #clock: Clock;
  readonly #shareMs: number;
  readonly #onTurn: () => void;
  /** When the share of this turn ends; undefined if it has not begun. */
  #endsAt: number | undefined;

  /** @param onTurn called in the turn after each turn in which the share was asked for; it may ask again */
  constructor(clock: Clock, shareMs: number, onTurn: () => void) {
    this.#clock = clock;
    this.#shareMs = shareMs;
    this.#onTurn = onTurn;
  }

  /** Whether this turn has time for a piece of work. Begins the share of this turn, if it has not begun. */
  get hasTime(): boolean {
    const now = this.#clock.now();
    return now < (this.#endsAt ?? this.#begin(now));
  }

  /** Makes sure that `onTurn` is called in the next turn. Begins the share of this turn, if it has not begun. */
  request(): void {
    if (this.#endsAt === undefined) this.#begin(this.#clock.now());
  }

  #begin(now: number): number {
    const endsAt = now + this.#shareMs;
    this.#endsAt = endsAt;
    this.#clock.nextTurn(() => {
      this.#endsAt = undefined;
      this.#onTurn();
    });
    return endsAt;
  }
}
