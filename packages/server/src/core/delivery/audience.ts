import { type Filter, passes } from '../topics/filter.js';
import type { Chunk } from './chunk.js';
import type { Flush } from './flush.js';
import type { LoggedEvent } from './logged-event.js';

const NONE: readonly Chunk[] = [];

/** A subscription at the edge: it has every matching event that was flushed. */
export interface AtEdge {
  /** @returns false if the subscription is no longer at the edge */
  takeAtEdge(chunk: Chunk): boolean;
}

/** All subscriptions with the same filter. Its subscriptions at the edge move together. */
export class Audience {
  readonly filter: Filter;
  /** Unique within the gateway. */
  readonly number: number;
  /** The number of subscriptions, at the edge or behind it. */
  members = 0;
  readonly #atEdge = new Set<AtEdge>();
  #chunks: readonly Chunk[] = NONE;
  #pending: LoggedEvent[] = [];
  /** A hash of the pending events: equal for audiences with the same pending events. */
  #mark = 0;

  constructor(filter: Filter, number: number) {
    this.filter = filter;
    this.number = number;
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
    for (const chunk of chunks) {
      for (const subscription of this.#atEdge) {
        if (!subscription.takeAtEdge(chunk)) this.#atEdge.delete(subscription);
      }
    }
  }
}
