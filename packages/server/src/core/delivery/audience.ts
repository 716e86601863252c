import type { DeliveryTally } from '../counters/delivery-tally.js';
import { type Filter, passes } from '../topics/filter.js';
import type { Chunk } from './chunk.js';
import type { Flush } from './flush.js';
import type { LoggedEvent } from './logged-event.js';

const NONE: readonly Chunk[] = [];

/**
 * What a subscription did with a chunk: it wrote the chunk (`taken`), it had the chunk already (`had`), or it is no
 * longer at the edge (`left`).
 */
export type Taking = 'taken' | 'had' | 'left';

/** A subscription at the edge: it has every matching event that was flushed. */
export interface AtEdge {
  takeAtEdge(chunk: Chunk): Taking;
}

/** All subscriptions with the same filter. Its subscriptions at the edge move together. */
export class Audience {
  readonly filter: Filter;
  /** Unique within the gateway. */
  readonly number: number;
  /** Counts the deliveries to its subscriptions; undefined if no observer reads counters. */
  readonly tally: DeliveryTally | undefined;
  /** The number of subscriptions, at the edge or behind it. */
  members = 0;
  readonly #atEdge = new Set<AtEdge>();
  #chunks: readonly Chunk[] = NONE;
  #pending: LoggedEvent[] = [];
  /** A hash of the pending events: equal for audiences with the same pending events. */
  #mark = 0;

  constructor(filter: Filter, number: number, tally?: DeliveryTally) {
    this.filter = filter;
    this.number = number;
    this.tally = tally;
  }

  /** Adds a subscription that is at the edge. Never called during a flush. */
  join(subscription: AtEdge): void {
    this.#atEdge.add(subscription);
  }

  leave(subscription: AtEdge): void {
    this.#atEdge.delete(subscription);
  }

  /** Keeps an event with a matching topic for the next flush. @returns whether it is the first event of that flush */
  offer(event: LoggedEvent): boolean {
    if (this.#atEdge.size === 0 || !passes(this.filter, event.entry)) return false;
    this.#mark = (Math.imul(this.#mark, 31) + event.offset) | 0;
    return this.#pending.push(event) === 1;
  }

  /** Takes part in a flush. Call it on all audiences of the flush before {@link Audience.move} on the first one. */
  prepare(flush: Flush): void {
    this.#chunks = flush.chunks({ events: this.#pending, mark: this.#mark, takers: this.#atEdge.size });
    this.#pending = [];
    this.#mark = 0;
  }

  /** Moves the subscriptions at the old edge to the new edge. */
  move(): void {
    const chunks = this.#chunks;
    this.#chunks = NONE;
    let deliveries = 0;
    for (const chunk of chunks) {
      let taken = 0;
      for (const subscription of this.#atEdge) {
        const taking = subscription.takeAtEdge(chunk);
        if (taking === 'taken') taken += 1;
        else if (taking === 'left') this.#atEdge.delete(subscription);
      }
      deliveries += taken * chunk.events.length;
    }
    this.tally?.flushed(chunks, deliveries);
  }
}
