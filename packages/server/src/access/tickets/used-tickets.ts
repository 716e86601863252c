import type { Clock } from '../../core/time/clock.js';
import { TICKET_ID } from './ticket-cipher.js';

/** The most tickets that are remembered in one period: some 10 MB. */
const MOST_USED = 100_000;

export interface UsedTicketsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** How long a ticket is remembered at least, in milliseconds. */
  readonly rememberMs: number;
  /** @default 100000 */
  readonly most?: number;
}

/**
 * The ids of the tickets that were used. They are forgotten in whole periods, so that no ticket needs a timer. When a
 * period is full, further tickets are refused: to forget one instead would admit it again.
 */
export class UsedTickets {
  readonly #options: UsedTicketsOptions;
  #current = new Set<string>();
  #previous = new Set<string>();
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(options: UsedTicketsOptions) {
    this.#options = options;
  }

  /** Remembers a ticket as used. @returns `spent` if it was used before; `full` if no more tickets can be remembered */
  use(id: string): 'first' | 'spent' | 'full' {
    this.#forget();
    if (this.#current.has(id) || this.#previous.has(id)) return 'spent';
    if (this.#current.size >= (this.#options.most ?? MOST_USED)) return 'full';
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
    this.#startedAt = now;
  }
}
