import { PregonError } from '@pregon/protocol';
import type { Connections } from '../core/connections/connections.js';
import type { DeliveryTallies } from '../core/counters/delivery-tally.js';
import type { TurnBudget } from '../core/incoming/turn-budget.js';
import type { Observer } from '../core/ports/observer.js';
import type { RefusalLog } from '../core/refusals/refusal-log.js';
import type { Authorize } from '../core/routes/authorize.js';
import { ServedRoute } from '../core/routes/served-route.js';
import { DEFAULT_HOLD_LIMITS } from '../core/snapshots/held-snapshots.js';
import type { RouteOptions } from './options.js';
import { parseSnapshot } from './snapshots/snapshot-option.js';
import type { SnapshotTokens } from './snapshots/snapshot-tokens.js';
import { normalizeCompression } from './validate.js';

/** What all routes share. */
interface Shared {
  readonly turn: TurnBudget;
  readonly maxSnapshotBytes: number;
  readonly snapshotTokens: SnapshotTokens | undefined;
  readonly refusals: RefusalLog;
  readonly observer: Observer;
  readonly tallies: DeliveryTallies | undefined;
  readonly authorize: Authorize | undefined;
}

/** The routes of a gateway, by name. */
export class Routes {
  readonly all: readonly ServedRoute[];

  /** @param exchanges the exchanges of the gateway, for routes that name none */
  constructor(
    options: Readonly<Record<string, RouteOptions>>,
    exchanges: readonly string[] | undefined,
    shared: Shared,
  ) {
    this.all = Object.entries(options).map(([name, route]) => createRoute(name, { exchanges, ...route }, shared));
  }

  /** @throws PregonError ROUTE_UNKNOWN, which lists the existing routes */
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
  { turn, maxSnapshotBytes: maxBytes, snapshotTokens: tokens, refusals, observer, tallies, authorize }: Shared,
): ServedRoute {
  const { path, exchanges, topics, compression } = options;
  const snapshot = parseSnapshot(name, options.snapshot, { maxBytes, tokens });
  const route = new ServedRoute({
    name,
    path,
    exchanges,
    topics,
    snapshot: snapshot?.read,
    snapshotPer: snapshot?.per,
    snapshotLimits: { ...DEFAULT_HOLD_LIMITS, maxBytes },
    compression: normalizeCompression(compression),
    observer,
    tallies,
    turn,
    refusals,
    authorize,
  });
  if (options.broadcast) route.relay();
  return route;
}
