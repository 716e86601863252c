import { systemClock } from '../core/clock.js';
import { Heartbeat } from '../core/heartbeat.js';
import { Hub, type HubOptions } from '../core/hub.js';
import type { Log } from '../core/log.js';
import { ComponentEntrance } from '../integrations/component/component-entrance.js';
import { openLog } from '../log/open.js';
import { Door } from '../transports/door.js';
import type { Siblings } from '../transports/siblings.js';
import type { SocketIoTypes } from '../transports/socketio/socketio-types.js';
import { Front } from './front.js';
import type { Gateway } from './gateway.js';
import type { GatewayLimits, GatewayOptions, Logger } from './options.js';
import { RouteEntrance } from './route-entrance.js';
import { Routes } from './routes.js';
import { type LogState, RunningGateway } from './running-gateway.js';
import { assertOrigins, assertRoutes, normalizeLimits } from './validate.js';

const silent: Logger = { info() {}, warn() {}, error() {}, debug() {} };

/**
 * Makes a gateway: opens the log, builds handlers and subscribers, and is ready to listen.
 *
 * @typeParam T the events of {@link Gateway.io}
 * @throws TypeError | RangeError where an option is not one
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | TOPIC_INVALID
 */
export function createGateway<T extends SocketIoTypes = SocketIoTypes>(options: GatewayOptions): Promise<Gateway<T>> {
  return createSibling<T>(options, undefined);
}

/** Makes a gateway that is one of several processes on one port, where there are siblings. @see createGateway */
export async function createSibling<T extends SocketIoTypes = SocketIoTypes>(
  options: GatewayOptions,
  siblings: Siblings | undefined,
): Promise<Gateway<T>> {
  const limits = normalizeLimits(options);
  assertRoutes(options);
  assertOrigins(options.allowedOrigins);
  const logger = options.logger ?? silent;
  const routes = new Routes(options.routes, options.exchanges, logger);
  const owned = typeof options.log === 'string';
  const log = typeof options.log === 'string' ? await openLog(options.log, onlyExchanges(options)) : options.log;
  const state: LogState = { unavailable: undefined };
  const hub = await openHub(log, limits, watchLog(state, logger)).catch(async (error: unknown) => {
    if (owned) await log.close();
    throw error;
  });
  const heartbeat = new Heartbeat(limits.heartbeatMs, limits.stallTimeoutMs, systemClock);
  const { allowedOrigins } = options;
  const door = new Door({ ...limits, routes: routes.all, hub, heartbeat, clock: systemClock, allowedOrigins });
  const front = new Front(new RouteEntrance(door, limits.maxFrameBytes), limits);
  const components = new ComponentEntrance({
    ...limits,
    heartbeat,
    clock: systemClock,
    allowedOrigins,
    takenPaths: routes.all.map(({ path }) => path),
    onBroken: (connection, err) => logger.error({ connection: connection.id, err }, 'onError of a component failed'),
  });
  front.add(components);
  const { maxFrameBytes } = limits;
  const parts = { log, owned, hub, heartbeat, door, components, front, routes, state, maxFrameBytes, siblings };
  const gateway = new RunningGateway<T>(parts);
  await gateway.build(options, logger);
  return gateway;
}

function openHub(log: Log, limits: Required<GatewayLimits>, onLog: HubOptions['onLog']): Promise<Hub> {
  const { historyBytes, flushIntervalMs } = limits;
  return Hub.open({ log, historyBytes, flushIntervalMs, clock: systemClock, onLog });
}

function watchLog(state: LogState, logger: Logger): HubOptions['onLog'] {
  return ({ unavailable, replaced }) => {
    state.unavailable = unavailable?.message;
    if (unavailable) logger.error({ err: unavailable }, 'the log cannot be read; trying again');
    else if (replaced) logger.warn({}, 'another log stands in the place of the one that was read; all were told reset');
    else logger.info({}, 'the log can be read again');
  };
}

function onlyExchanges({ exchanges }: GatewayOptions): { exchanges?: readonly string[] } {
  return exchanges === undefined ? {} : { exchanges };
}
