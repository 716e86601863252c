import type { ResetReason } from '@pregon/protocol';
import type { TransportName } from '../connections/connection.js';
import type { EventChunk } from '../ports/delivery.js';
import type { Observer } from '../ports/observer.js';

type Tallied = 'opening' | 'behind' | 'at the edge';

/** Counts the deliveries to the subscriptions of one route and transport. A `CounterSource` reads its fields. */
export class DeliveryTally {
  readonly route: string;
  readonly transport: TransportName;
  /** Unique within the gateway. */
  readonly number: number;
  readonly #delivered: Observer['delivered'];
  /** The number of subscriptions in each state. */
  readonly states: Record<Tallied, number> = { opening: 0, behind: 0, 'at the edge': 0 };
  readonly resets: Record<ResetReason, number> = { truncated: 0, replaced: 0, rights: 0 };
  events = 0;
  caughtUp = 0;
  resumed = 0;
  refusedSubscribes = 0;
  /** The bytes of closed connections. */
  closedBytes = 0;

  constructor(route: string, transport: TransportName, number: number, observer: Observer) {
    this.route = route;
    this.transport = transport;
    this.number = number;
    this.#delivered = observer.delivered && ((delivery) => observer.delivered?.(delivery));
  }

  /** Counts a change of a subscription's state. @param from undefined for a new subscription */
  moved(from: Tallied | 'ended' | undefined, to: Tallied | 'ended'): void {
    if (from !== undefined && from !== 'ended') this.states[from] -= 1;
    if (to !== 'ended') this.states[to] += 1;
  }

  /** Counts a flush. @param deliveries the number of deliveries; one is one event written to one subscription */
  flushed(chunks: readonly EventChunk[], deliveries: number): void {
    if (deliveries === 0) return;
    this.events += deliveries;
    const { route, transport } = this;
    this.#delivered?.({ route, transport, chunks, deliveries });
  }

  /** Counts a chunk that was written to a subscription that is behind. */
  caught(events: number): void {
    this.events += events;
    this.caughtUp += events;
  }
}

/** The tallies of a gateway. */
export class DeliveryTallies {
  readonly #observer: Observer;
  readonly #tallies: DeliveryTally[] = [];

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  get all(): readonly DeliveryTally[] {
    return this.#tallies;
  }

  /** Returns the tally of a route and transport, and creates it if needed. */
  of(route: string, transport: TransportName): DeliveryTally {
    const known = this.#tallies.find((tally) => tally.route === route && tally.transport === transport);
    if (known) return known;
    const tally = new DeliveryTally(route, transport, this.#tallies.length, this.#observer);
    this.#tallies.push(tally);
    return tally;
  }
}
