import { Chunk, chunkLength } from './chunk.js';
import { type Filter, passes } from './filter.js';
import type { LoggedEvent } from './logged-event.js';
import type { Subscription } from './subscription.js';

/** All subscriptions that want the same events. Those of them that stand at the edge of the log move together. */
export class Audience {
  readonly filter: Filter;
  /** Unlike that of any other audience of the gateway. */
  readonly number: number;
  /** How many subscriptions there are, at the edge or behind it. */
  members = 0;
  readonly #atEdge = new Set<Subscription>();
  #pending: LoggedEvent[] = [];

  constructor(filter: Filter, number: number) {
    this.filter = filter;
    this.number = number;
  }

  /** Takes a subscription that stands at the edge. Never called during a flush. */
  join(subscription: Subscription): void {
    this.#atEdge.add(subscription);
  }

  leave(subscription: Subscription): void {
    this.#atEdge.delete(subscription);
  }

  /** Keeps an event whose topic matches for the flush; true where it is the first. */
  offer(event: LoggedEvent): boolean {
    if (this.#atEdge.size === 0 || !passes(this.filter, event.entry)) return false;
    return this.#pending.push(event) === 1;
  }

  /** Moves all that stand at `after`, the edge until now, to `through`, the edge from now on. */
  flush(after: number, through: number): void {
    const events = this.#pending;
    this.#pending = [];
    for (let from = 0, at = after; from < events.length; ) {
      const to = from + chunkLength(events, from);
      const last = to === events.length ? through : (events[to - 1]?.offset ?? through);
      const chunk = new Chunk(at, last, from === 0 && to === events.length ? events : events.slice(from, to));
      for (const subscription of this.#atEdge) {
        if (!subscription.takeAtEdge(chunk)) this.#atEdge.delete(subscription);
      }
      from = to;
      at = last;
    }
  }
}
