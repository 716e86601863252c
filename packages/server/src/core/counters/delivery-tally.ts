import type { ResetReason } from '@pregon/protocol';
import type { TransportName } from '../connections/connection.js';
import type { EventChunk } from '../ports/delivery.js';
import type { Observer } from '../ports/observer.js';

type Tallied = 'opening' | 'behind' | 'at the edge';

/** Counts what the subscriptions of one route get by one transport. Its fields are read when somebody asks for them. */
export class DeliveryTally {
  readonly route: string;
  readonly transport: TransportName;
  /** Unlike that of any other tally of the gateway. */
  readonly number: number;
  readonly #delivered: Observer['delivered'];
  /** How many subscriptions there are in each state. */
  readonly states: Record<Tallied, number> = { opening: 0, behind: 0, 'at the edge': 0 };
  readonly resets: Record<ResetReason, number> = { truncated: 0, replaced: 0 };
  events = 0;
  caughtUp = 0;
  resumed = 0;
  refusedSubscribes = 0;
  /** Of connections that have closed. */
  closedBytes = 0;

  constructor(route: string, transport: TransportName, number: number, observer: Observer) {
    this.route = route;
    this.transport = transport;
    this.number = number;
    this.#delivered = observer.delivered && ((delivery) => observer.delivered?.(delivery));
  }

  /** A subscription changes its state. @param from undefined if it is new @param to `ended` if it is over */
  moved(from: Tallied | 'ended' | undefined, to: Tallied | 'ended'): void {
    if (from !== undefined && from !== 'ended') this.states[from] -= 1;
    if (to !== 'ended') this.states[to] += 1;
  }

  /** A flush wrote these chunks. @param deliveries how many times one event was written to one subscription */
  flushed(chunks: readonly EventChunk[], deliveries: number): void {
    if (deliveries === 0) return;
    this.events += deliveries;
    const { route, transport } = this;
    this.#delivered?.({ route, transport, chunks, deliveries });
  }

  /** A subscription that is behind was written a chunk. */
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

  /** The only one of its route and transport. */
  of(route: string, transport: TransportName): DeliveryTally {
    const known = this.#tallies.find((tally) => tally.route === route && tally.transport === transport);
    if (known) return known;
    const tally = new DeliveryTally(route, transport, this.#tallies.length, this.#observer);
    this.#tallies.push(tally);
    return tally;
  }
}
