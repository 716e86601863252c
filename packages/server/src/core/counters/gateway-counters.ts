import type { OtherGateways } from '../core/broadcasts/other-gateways.js';
import type { TransportName } from '../core/connections/connection.js';
import type { DeliveryTallies, DeliveryTally } from '../core/delivery/delivery-tally.js';
import type { Hub } from '../core/delivery/hub.js';
import type { CounterSource, DeliveryCounters, GatewayCounters, LogLag } from '../core/ports/counters.js';
import type { ServedRoute } from '../core/routes/served-route.js';

export interface CountersOptions {
  readonly hub: Hub;
  readonly routes: readonly ServedRoute[];
  readonly tallies: DeliveryTallies;
  /** Undefined until the gateway has joined them, and if the log has no way to them. */
  readonly others: () => OtherGateways | undefined;
}

/** Puts together what the parts of a gateway count, when somebody asks. */
export class Counters implements CounterSource {
  readonly #options: CountersOptions;

  constructor(options: CountersOptions) {
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

/** Of the connections of a route that are open now. */
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
