import { TurnBudget } from '../incoming/turn-budget.js';
import type { Clock } from '../time/clock.js';
import { TurnShare } from '../time/turn-share.js';
import type { EventPage } from './page-reader.js';

/**
 * The most time in one event loop turn for subscriptions that are behind. While thousands of clients reconnect, live
 * delivery is delayed by as much.
 */
const TURN_MS = 1;

/** A subscription that is behind. */
interface Behind {
  /** @param read the page that the subscription was about to read from when it had to wait */
  advance(read?: EventPage): void;
}

/**
 * Schedules the subscriptions that are behind: after a reconnect, or because their client reads slowly. First come,
 * first served, and for at most {@link TURN_MS} in each event loop turn, so that new events are read and flushed in
 * between. The time counts towards the turn budget. If that budget is spent, a new subscription waits for the next
 * turn: its large filter is then parsed in one turn and compiled in another.
 */
export class CatchingUp {
  readonly #share: TurnShare;
  readonly #budget: TurnBudget;
  readonly #beforeDelivery: () => void;
  /** The waiting subscriptions in order, each with the page that it was about to read from. */
  readonly #waiting = new Map<Behind, EventPage | undefined>();
  #advancing = false;

  /** @param beforeDelivery called before each turn in which subscriptions are advanced. Default: nothing is called */
  constructor(clock: Clock, budget: TurnBudget = new TurnBudget(clock), beforeDelivery: () => void = () => {}) {
    this.#share = new TurnShare(clock, TURN_MS, () => this.#turn());
    this.#budget = budget;
    this.#beforeDelivery = beforeDelivery;
  }

  /** Whether a subscription that is behind may take a chunk now; if not, it must wait. */
  get isFree(): boolean {
    const { hasTime } = this.#share;
    if (this.#advancing) return hasTime;
    this.#budget.look();
    return hasTime && this.#waiting.size === 0 && !this.#budget.isSpent;
  }

  /** Queues a subscription: it continues after those that were queued before it. */
  wait(behind: Behind, read: EventPage | undefined): void {
    this.#waiting.set(behind, read ?? this.#waiting.get(behind));
    this.#share.request();
  }

  delete(behind: Behind): void {
    this.#waiting.delete(behind);
  }

  #turn(): void {
    if (this.#waiting.size === 0) return;
    this.#beforeDelivery();
    this.#share.request();
    let left = this.#waiting.size;
    this.#advancing = true;
    for (const [behind, read] of this.#waiting) {
      this.#waiting.delete(behind);
      this.#budget.run(() => behind.advance(read));
      left -= 1;
      if (left === 0 || !this.#share.hasTime) break;
    }
    this.#advancing = false;
  }
}
