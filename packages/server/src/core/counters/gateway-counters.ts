import type { OtherGateways } from '../broadcasts/other-gateways.js';
import type { TransportName } from '../connections/connection.js';
import type { Hub } from '../delivery/hub.js';
import type { ServedRoute } from '../routes/served-route.js';
import type { CounterSource, DeliveryCounters, GatewayCounters, LogLag } from './counters.js';
import type { DeliveryTallies, DeliveryTally } from './delivery-tally.js';

export interface CounterSourceOptions {
  readonly hub: Hub;
  readonly routes: readonly ServedRoute[];
  readonly tallies: DeliveryTallies;
  /** Returns undefined until the gateway has joined the other gateways, and if the log cannot connect them. */
  readonly others: () => OtherGateways | undefined;
}

/** Collects the counters from the parts of a gateway when {@link GatewayCounterSource.read} is called. */
export class GatewayCounterSource implements CounterSource {
  readonly #options: CounterSourceOptions;

  constructor(options: CounterSourceOptions) {
    this.#options = options;
  }

  read(): GatewayCounters {
    const { hub, routes, tallies, others } = this.#options;
    const open = new Map(routes.flatMap((route) => sumsOf(route, tallies)));
    return {
      deliveries: tallies.all.map((tally) => toCounters(tally, open.get(tally))),
      log: hub.counters,
      ephemeralUnsent: others()?.dropped ?? 0,
    };
  }

  lag(): Promise<LogLag> {
    return this.#options.hub.lag();
  }
}

interface Sums {
  connections: number;
  bytes: number;
}

/** Sums over the open connections of a route, by transport. */
function sumsOf(route: ServedRoute, tallies: DeliveryTallies): [DeliveryTally, Sums][] {
  const sums = new Map<TransportName, Sums>();
  for (const { transport, link } of route.connections) {
    let sum = sums.get(transport);
    if (!sum) {
      sum = { connections: 0, bytes: 0 };
      sums.set(transport, sum);
    }
    sum.connections += 1;
    sum.bytes += link.takenBytes;
  }
  return [...sums].map(([transport, sum]) => [tallies.of(route.name, transport), sum]);
}

function toCounters(tally: DeliveryTally, { connections, bytes } = { connections: 0, bytes: 0 }): DeliveryCounters {
  const { route, transport, states, events, caughtUp, resumed, resets, refusedSubscribes, closedBytes } = tally;
  const subscriptions = { live: states['at the edge'], behind: states.behind + states.opening };
  return {
    route,
    transport,
    connections,
    subscriptions,
    events,
    caughtUp,
    bytes: closedBytes + bytes,
    resumed,
    resets: { ...resets },
    refusedSubscribes,
  };
}
