import { type Filter, passes } from '../topics/filter.js';
import type { Chunk } from './chunk.js';
import type { Flush } from './flush.js';
import type { LoggedEvent } from './logged-event.js';

const NONE: readonly Chunk[] = [];

/** A subscription at the edge of the log. */
export interface AtEdge {
  /** @returns false if it is not at the edge any more */
  takeAtEdge(chunk: Chunk): boolean;
}

/** All subscriptions that want the same events. Those of them that stand at the edge of the log move together. */
export class Audience {
  readonly filter: Filter;
  /** Unlike that of any other audience of the gateway. */
  readonly number: number;
  /** How many subscriptions there are, at the edge or behind it. */
  members = 0;
  readonly #atEdge = new Set<AtEdge>();
  #chunks: readonly Chunk[] = NONE;
  #pending: LoggedEvent[] = [];
  /** Of the pending events; equal for audiences with the same ones. */
  #mark = 0;

  constructor(filter: Filter, number: number) {
    this.filter = filter;
    this.number = number;
  }

  /** Takes a subscription that stands at the edge. Never called during a flush. */
  join(subscription: AtEdge): void {
    this.#atEdge.add(subscription);
  }

  leave(subscription: AtEdge): void {
    this.#atEdge.delete(subscription);
  }

  /** Keeps an event whose topic matches for the flush; true where it is the first. */
  offer(event: LoggedEvent): boolean {
    if (this.#atEdge.size === 0 || !passes(this.filter, event.entry)) return false;
    this.#mark = (Math.imul(this.#mark, 31) + event.offset) | 0;
    return this.#pending.push(event) === 1;
  }

  /** Takes part in a flush: to be told to all audiences that do, before the first of them is moved. */
  prepare(flush: Flush): void {
    this.#chunks = flush.chunks({ events: this.#pending, mark: this.#mark, takers: this.#atEdge.size });
    this.#pending = [];
    this.#mark = 0;
  }

  /** Moves all that stand at the edge until now to the edge from now on. */
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
