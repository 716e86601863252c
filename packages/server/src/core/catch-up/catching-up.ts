import { TurnBudget } from '../incoming/turn-budget.js';
import type { Clock } from '../time/clock.js';
import type { EventPage } from './page-reader.js';

/**
 * For how long those who are behind may keep one turn of the event loop. As much as that is added to the delay of those who are not, while
 * thousands come back.
 */
const TURN_MS = 1;

/** Somebody who is behind. */
interface Behind {
  /** @param read the page that it had when it had to wait */
  advance(read?: EventPage): void;
}

/**
 * Shares out the turns of the event loop among all who are behind: who comes back, and who reads slowly. First come, first served, and no
 * longer than {@link TURN_MS} in each turn, so that new events are read and flushed between. Their time counts in the budget of the turn.
 * If the budget is spent, a newcomer waits for the next turn: a large filter is then parsed in one turn and compiled in another.
 */
export class CatchingUp {
  readonly #clock: Clock;
  readonly #budget: TurnBudget;
  /** In order, each with the page that it was about to read from. */
  readonly #waiting = new Map<Behind, EventPage | undefined>();
  /** When nobody takes any more in this turn; undefined where nobody has yet. */
  #turnEnds: number | undefined;
  #advancing = false;

  constructor(clock: Clock, budget: TurnBudget = new TurnBudget(clock)) {
    this.#clock = clock;
    this.#budget = budget;
  }

  /** Whether one who is behind may take a chunk now; if not, it has to wait. */
  get isFree(): boolean {
    const now = this.#clock.now();
    const ends = this.#turnEnds ?? this.#begin(now);
    if (this.#advancing) return now < ends;
    this.#budget.look();
    return now < ends && this.#waiting.size === 0 && !this.#budget.isSpent;
  }

  /** It goes on when those have who came before. */
  wait(behind: Behind, read: EventPage | undefined): void {
    this.#waiting.set(behind, read ?? this.#waiting.get(behind));
    if (this.#turnEnds === undefined) this.#begin(this.#clock.now());
  }

  delete(behind: Behind): void {
    this.#waiting.delete(behind);
  }

  #begin(now: number): number {
    const ends = now + TURN_MS;
    this.#turnEnds = ends;
    this.#clock.nextTurn(() => this.#turn());
    return ends;
  }

  #turn(): void {
    this.#turnEnds = undefined;
    if (this.#waiting.size === 0) return;
    const ends = this.#begin(this.#clock.now());
    let left = this.#waiting.size;
    this.#advancing = true;
    for (const [behind, read] of this.#waiting) {
      this.#waiting.delete(behind);
      this.#budget.run(() => behind.advance(read));
      left -= 1;
      if (left === 0 || this.#clock.now() >= ends) break;
    }
    this.#advancing = false;
  }
}
