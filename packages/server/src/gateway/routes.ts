import { PregonError } from '@pregon/protocol';
import type { Connections } from '../core/connections/connections.js';
import type { TurnBudget } from '../core/incoming/turn-budget.js';
import type { RefusalLog } from '../core/refusals/refusal-log.js';
import { ServedRoute } from '../core/routes/served-route.js';
import { DEFAULT_HOLD_LIMITS } from '../core/snapshots/snapshot-reader.js';
import { systemClock } from '../core/time/clock.js';
import { connectionLog } from './connection-log.js';
import type { Logger, RouteOptions } from './options.js';
import { inTime } from './snapshots/snapshot-in-time.js';
import { snapshotFrom } from './snapshots/snapshot-url.js';
import { normalizeCompression } from './validate.js';

/** What holds for all routes. */
interface SharedLimits {
  readonly turn: TurnBudget;
  readonly maxSnapshotBytes: number;
  readonly refusals: RefusalLog;
}

/** The routes of a gateway, by name. */
export class Routes {
  readonly all: readonly ServedRoute[];

  /** @param exchanges those of the gateway: what a route carries that names none of its own */
  constructor(
    options: Readonly<Record<string, RouteOptions>>,
    exchanges: readonly string[] | undefined,
    logger: Logger,
    shared: SharedLimits,
  ) {
    this.all = Object.entries(options).map(([name, route]) =>
      createRoute(name, { exchanges, ...route }, logger, shared),
    );
  }

  /** @throws PregonError ROUTE_UNKNOWN, with the routes there are */
  connections(name: string): Connections {
    const route = this.all.find((candidate) => candidate.name === name);
    if (route) return route.connections;
    const names = this.all.map((candidate) => candidate.name).join(', ');
    throw new PregonError('ROUTE_UNKNOWN', `there is no route ${JSON.stringify(name)}; the routes are: ${names}`);
  }
}

function createRoute(
  name: string,
  options: RouteOptions,
  logger: Logger,
  { turn, maxSnapshotBytes: maxBytes, refusals }: SharedLimits,
): ServedRoute {
  const { path, exchanges, topics, snapshot, compression } = options;
  const route = new ServedRoute({
    name,
    path,
    exchanges,
    topics,
    snapshot: typeof snapshot === 'string' ? snapshotFrom(snapshot, maxBytes) : snapshot && inTime(snapshot),
    snapshotLimits: { ...DEFAULT_HOLD_LIMITS, maxBytes },
    compression: normalizeCompression(compression),
    observer: connectionLog(logger, systemClock),
    turn,
    refusals,
  });
  if (options.broadcast) {
    route.handle({ message: (connection, data) => void route.connections.broadcast(data, { except: connection }) });
  }
  return route;
}
