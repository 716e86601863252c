import { RESERVED_EXCHANGE, toError } from '@pregon/protocol';
import { AccessLimits } from '../access/limits/access-limits.js';
import { Origins } from '../access/origins.js';
import { Revocations } from '../access/revocations/revocations.js';
import { takeTicket } from '../core/admission/url-tickets.js';
import { Expiry } from '../core/connections/expiry.js';
import { Heartbeat } from '../core/connections/heartbeat.js';
import { DeliveryTallies } from '../core/counters/delivery-tally.js';
import { GatewayCounterSource } from '../core/counters/gateway-counters.js';
import { Hub } from '../core/delivery/hub.js';
import type { HubOptions } from '../core/delivery/hub-options.js';
import { Intake } from '../core/incoming/intake.js';
import type { TurnBudget } from '../core/incoming/turn-budget.js';
import type { Log } from '../core/ports/log.js';
import type { Observer } from '../core/ports/observer.js';
import { RefusalLog } from '../core/refusals/refusal-log.js';
import { systemClock } from '../core/time/clock.js';
import { openLog } from '../logs/open.js';
import { composeObservers } from '../observe/compose.js';
import { logLines } from '../observe/log-lines.js';
import { isProduction } from '../settings.js';
import { ClientRegistry } from '../transports/client-registry.js';
import { ComponentEntrance } from '../transports/component/component-entrance.js';
import type { Siblings } from '../transports/entrance.js';
import { GatewayKernel } from '../transports/kernel.js';
import type { OnlySocketIoTypes, SocketIoTypes } from '../transports/socketio/socketio-types.js';
import { assertAccess, assertProductionAccess, thisMachineFor } from './access/access-mode.js';
import { type Auth, openAuth } from './auth.js';
import { Front } from './entrances/front.js';
import { RouteEntrance } from './entrances/route-entrance.js';
import { GatewayAdmissions } from './gateway-admissions.js';
import { GatewayPositions } from './gateway-positions.js';
import { guardLogger } from './guard-logger.js';
import type { GatewayLimits, GatewayOptions, Logger } from './options.js';
import { Routes } from './routes.js';
import { type LogState, RunningGateway } from './running-gateway.js';
import { SnapshotTokens } from './snapshots/snapshot-tokens.js';
import type { GatewayTickets } from './tickets/gateway-tickets.js';
import { TicketEntrance } from './tickets/ticket-entrance.js';
import { assertOrigins, assertRoutes, normalizeLimits } from './validate.js';

/**
 * Builds a gateway from its parts. With siblings, it is one of several processes on one port.
 *
 * @see createGateway
 */
export async function assembleGateway<T extends OnlySocketIoTypes<T> = SocketIoTypes>(
  options: GatewayOptions,
  siblings: Siblings | undefined,
): Promise<RunningGateway<T>> {
  assertRoutes(options);
  assertOrigins(options.allowedOrigins);
  assertAccess(options);
  assertProductionAccess(options, isProduction());
  const logger = guardLogger(options.logger);
  const origins = new Origins(options.allowedOrigins, options.allowNullOrigin);
  const limits = normalizeLimits(options);
  const access = new AccessLimits(limits, options, systemClock);
  const auth = await openAuth(options, { origins, failures: access.failures, logger });
  try {
    return await assemble<T>(options, { siblings, logger, origins, limits, access, auth });
  } catch (error) {
    auth?.close();
    throw error;
  }
}

interface Opened {
  readonly siblings: Siblings | undefined;
  readonly logger: Logger;
  readonly origins: Origins;
  readonly limits: Required<GatewayLimits>;
  readonly access: AccessLimits;
  readonly auth: Auth | undefined;
}

async function assemble<T extends OnlySocketIoTypes<T>>(
  options: GatewayOptions,
  { siblings, logger, origins, limits, access, auth }: Opened,
): Promise<RunningGateway<T>> {
  const intake = new Intake(limits, systemClock);
  const state: LogState = { unavailable: undefined };
  const observers = [watchLog(state), logLines(logger), ...(options.observers ?? [])];
  const observer = composeObservers(observers, (err, method) =>
    logger.error({ err, method }, 'an observer failed; it is no longer notified'),
  );
  const refusals = new RefusalLog(logger, systemClock, observer);
  const tallies = observer.started || observer.delivered ? new DeliveryTallies(observer) : undefined;
  const snapshotTokens = await SnapshotTokens.open(options);
  const { maxSnapshotBytes } = limits;
  const authorize = options.auth?.authorize;
  const shared = { turn: intake.turn, maxSnapshotBytes, snapshotTokens, refusals, observer, tallies, authorize };
  const routes = new Routes(options.routes ?? {}, options.exchanges, shared);
  const owned = typeof options.log === 'string';
  const opening = { ...onlyExchanges(options), drivers: options.logDrivers };
  const log = typeof options.log === 'string' ? await openLog(options.log, opening) : options.log;
  const { turn } = intake;
  const { secret } = options;
  const expiry = new Expiry({
    clock: systemClock,
    wallClock: Date.now,
    turn,
    random: Math.random,
    leewayMs: auth?.leewayMs,
  });
  const open = async () => {
    const revocations = await openRevocations(log, options, { turn, logger });
    const onReserved: HubOptions['onReserved'] = (entries) => revocations?.read(entries);
    const beforeDelivery = () => expiry.endDue();
    const settings = { ...limits, turn, counting: tallies !== undefined, onReserved, beforeDelivery };
    try {
      return { revocations, hub: await openHub(log, { secret, settings, observer, tickets: auth?.tickets }) };
    } catch (error) {
      await revocations?.close();
      throw error;
    }
  };
  const { revocations, hub } = await open().catch(async (error: unknown) => {
    if (owned) await log.close();
    throw error;
  });
  const heartbeat = new Heartbeat(limits.heartbeatMs, limits.stallTimeoutMs, systemClock);
  const { clients } = access;
  const admissions = new GatewayAdmissions({
    origins,
    thisMachine: thisMachineFor(options),
    clients,
    maxPending: limits.maxPending,
    auth: auth?.admissions,
    publishing: auth?.publishing,
    admissions: options.admissions,
    leewayMs: auth?.leewayMs,
    revocations,
    logger,
    pace: (resume) => front.whenFree(resume),
  });
  const registry = new ClientRegistry({
    ...limits,
    routes: routes.all,
    hub,
    heartbeat,
    clock: systemClock,
    intake,
    admission: admissions.admission,
    clients,
    origins,
    refusals,
    expiry,
    revocations,
  });
  const { maxFrameBytes, maxFrameDepth, maxFrameValues } = limits;
  const shape = { maxDepth: maxFrameDepth, maxValues: maxFrameValues };
  const kernel = new GatewayKernel({
    registry,
    frames: { maxFrameBytes, shape },
    openSocketIo: (socketIo) => gateway.openSocketIo(socketIo),
  });
  const routeEntrance = new RouteEntrance(kernel);
  const front = new Front(routeEntrance, { limits, refusals, clients, onArrival: auth && takeTicket });
  const components = new ComponentEntrance({
    intake,
    ...limits,
    heartbeat,
    clock: systemClock,
    leewayMs: auth?.leewayMs,
    addressOf: clients.addressOf,
    revocations,
    accessOf: (options) => admissions.ofMount(options),
    refusals,
    assertFree: (claim, entrance) => front.assertFree(claim, entrance),
    onBroken: (connection, err) => logger.error({ connection: connection.id, err }, 'onError of a component failed'),
  });
  front.add(components);
  if (auth) front.add(new TicketEntrance(registry, auth.tickets.tickets));
  const parts = {
    publishing: admissions.publishing,
    log,
    owned,
    auth,
    access,
    revocations,
    maxTokenLifetimeMs: options.auth?.maxTokenLifetimeMs,
    hub,
    heartbeat,
    registry,
    components,
    routeEntrance,
    front,
    routes,
    state,
    limits,
    siblings,
  };
  const gateway: RunningGateway<T> = new RunningGateway<T>(parts);
  await gateway.build(options, logger);
  if (tallies) {
    observer.started?.(new GatewayCounterSource({ hub, routes: routes.all, tallies, others: () => gateway.others }));
  }
  return gateway;
}

interface HubParts {
  readonly secret: string | undefined;
  readonly settings: Pick<
    HubOptions,
    'historyBytes' | 'flushIntervalMs' | 'turn' | 'counting' | 'onReserved' | 'beforeDelivery'
  >;
  readonly observer: Observer;
  readonly tickets: GatewayTickets | undefined;
}

async function openHub(log: Log, { secret, settings, observer, tickets }: HubParts): Promise<Hub> {
  const positions = await GatewayPositions.open(log, secret);
  await tickets?.readKey(log, secret);
  const onLog: HubOptions['onLog'] = (change) => {
    observer.logChanged?.(change);
    if (change.state !== 'replaced') return;
    // If the new secret cannot be read now, the former key stays in use. Clients then get `reset` when they come to
    // another gateway.
    const renewed = Promise.all([positions.renew(), tickets?.readKey(log, secret)]);
    renewed.catch((error: unknown) => observer.logChanged?.({ state: 'unavailable', error: toError(error) }));
  };
  const { historyBytes, flushIntervalMs, turn, counting, onReserved, beforeDelivery } = settings;
  const shared = { historyBytes, flushIntervalMs, turn, counting, onReserved, beforeDelivery };
  return Hub.open({ ...shared, log, positions, clock: systemClock, onLog });
}

/**
 * Only a client with an identity can be revoked. A gateway without identities needs no right to read what the log keeps.
 */
async function openRevocations(
  log: Log,
  { auth, admissions = [] }: GatewayOptions,
  { turn, logger }: { readonly turn: TurnBudget; readonly logger: Logger },
): Promise<Revocations | undefined> {
  if (!auth && admissions.length === 0) return undefined;
  const { maxTokenLifetimeMs } = auth ?? {};
  return Revocations.open({ kept: log.kept, maxTokenLifetimeMs, clock: systemClock, turn, logger });
}

/** Keeps the state of the log for the readiness check. */
function watchLog(state: LogState): Observer {
  return {
    logChanged(change) {
      state.unavailable = change.state === 'unavailable' ? change.error.message : undefined;
    },
  };
}

function onlyExchanges({ exchanges }: GatewayOptions): { exchanges?: readonly string[] } {
  return exchanges === undefined ? {} : { exchanges: [...exchanges, RESERVED_EXCHANGE] };
}
