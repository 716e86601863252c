import type { Clock } from '../../core/time/clock.js';
import { TICKET_ID } from './ticket-cipher.js';

/** The most tickets that are remembered in one period: some 10 MB. */
const MOST_USED = 100_000;

/** The most tickets of one owner in one period, so that no user alone can keep the others out. */
const MOST_OF_ONE = 1_000;

export interface UsedTicketsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** How long a ticket is remembered at least, in milliseconds. */
  readonly rememberMs: number;
  /** @default 100000 */
  readonly most?: number;
  /** @default 1000 */
  readonly mostOfOne?: number;
}

/**
 * The ids of the tickets that were used. They are forgotten in whole periods, so that no ticket needs a timer. When a
 * period is full, further tickets are refused: to forget one instead would admit it again.
 */
export class UsedTickets {
  readonly #options: UsedTicketsOptions;
  #current = new Set<string>();
  #previous = new Set<string>();
  /** How many tickets each owner has used here in the current period. */
  readonly #byOwner = new Map<string, number>();
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(options: UsedTicketsOptions) {
    this.#options = options;
  }

  /**
   * Remembers a ticket as used.
   *
   * @param owner whose ticket it is; undefined for a ticket that another gateway has counted
   * @returns `spent` if it was used before; `full` if no more tickets can be remembered; `many` if its owner has used
   *   too many
   */
  use(id: string, owner?: string): 'first' | 'spent' | 'full' | 'many' {
    const { most = MOST_USED, mostOfOne = MOST_OF_ONE } = this.#options;
    this.#forget();
    if (this.#current.has(id) || this.#previous.has(id)) return 'spent';
    if (this.#current.size >= most) return 'full';
    if (owner !== undefined) {
      const count = this.#byOwner.get(owner) ?? 0;
      if (count >= mostOfOne) return 'many';
      this.#byOwner.set(owner, count + 1);
    }
    this.#current.add(id);
    return 'first';
  }

  /** Remembers a ticket that another gateway has admitted. Ignores a text that is not an id. */
  usedElsewhere(id: string): void {
    if (TICKET_ID.test(id)) this.use(id);
  }

  #forget(): void {
    const { clock, rememberMs } = this.#options;
    const now = clock.now();
    if (now - this.#startedAt < rememberMs) return;
    this.#previous = now - this.#startedAt < 2 * rememberMs ? this.#current : new Set();
    this.#current = new Set();
    this.#byOwner.clear();
    this.#startedAt = now;
  }
}
