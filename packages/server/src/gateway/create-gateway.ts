import type { Server } from 'node:http';
import { createEvent, encodePosition, type NewEvent, PregonError, type PregonEvent } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import { systemClock } from '../core/clock.js';
import type { Connections } from '../core/connections.js';
import { createFilter } from '../core/filter.js';
import { Heartbeat } from '../core/heartbeat.js';
import { Hub } from '../core/hub.js';
import type { Log } from '../core/log.js';
import { openLog } from '../log/open.js';
import { Door } from '../transports/door.js';
import { drain } from './drain.js';
import { Front } from './front.js';
import type { Gateway, ListenOptions } from './gateway.js';
import type { Built, GatewayOptions, HandlerContext, Logger, Subscriber } from './options.js';
import { Routes } from './routes.js';
import { SubscriberLink } from './subscriber-link.js';
import { assertRoutes, normalizeLimits } from './validate.js';

const silent: Logger = { info() {}, warn() {}, error() {}, debug() {} };

/**
 * Makes a gateway: opens the log, builds handlers and subscribers, and is ready to listen.
 *
 * @throws TypeError | RangeError where an option is not one
 * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | TOPIC_INVALID
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const limits = normalizeLimits(options);
  assertRoutes(options.routes);
  const logger = options.logger ?? silent;
  const routes = new Routes(options.routes, logger);
  const owned = typeof options.log === 'string';
  const log = typeof options.log === 'string' ? await openLog(options.log, readOnly(options)) : options.log;
  const state = { unavailable: undefined as string | undefined };
  const hub = await Hub.open({
    log,
    historyBytes: limits.historyBytes,
    flushIntervalMs: limits.flushIntervalMs,
    clock: systemClock,
    onLog: ({ unavailable, replaced }) => {
      state.unavailable = unavailable?.message;
      if (unavailable) logger.error({ err: unavailable }, 'the log cannot be read; trying again');
      else if (replaced)
        logger.warn({}, 'another log stands in the place of the one that was read; all were told reset');
      else logger.info({}, 'the log can be read again');
    },
  });
  const heartbeat = new Heartbeat(limits.heartbeatMs, limits.stallTimeoutMs, systemClock);
  const { allowedOrigins } = options;
  const door = new Door({ ...limits, routes: routes.all, hub, heartbeat, clock: systemClock, allowedOrigins });
  const front = new Front(door, limits);
  const gateway = new RunningGateway({ log, owned, hub, heartbeat, door, front, routes, state });
  await gateway.build(options, logger);
  return gateway;
}

function readOnly({ exchanges }: GatewayOptions): { exchanges?: readonly string[] } {
  return exchanges === undefined ? {} : { exchanges };
}

interface Parts {
  readonly log: Log;
  readonly owned: boolean;
  readonly hub: Hub;
  readonly heartbeat: Heartbeat;
  readonly door: Door;
  readonly front: Front;
  readonly routes: Routes;
  readonly state: { unavailable: string | undefined };
}

class RunningGateway implements Gateway {
  readonly #parts: Parts;
  readonly #subscribers: SubscriberLink[] = [];
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get routes(): Gateway['routes'] {
    return this.#parts.routes.all;
  }

  get notReady(): string | undefined {
    return this.#closing ? 'the gateway is going away' : this.#parts.state.unavailable;
  }

  connections(route: string): Connections {
    return this.#parts.routes.connections(route);
  }

  listen(options: ListenOptions = {}): Promise<{ host: string; port: number }> {
    return this.#parts.front.listen(options);
  }

  attach(server: Server): void {
    this.#parts.front.attach(server);
  }

  async publish(event: NewEvent): Promise<PregonEvent> {
    const complete = createEvent(event, { id: uuid(), time: new Date().toISOString() });
    const [point] = await this.#parts.log.append([complete]);
    if (!point) throw new PregonError('LOG_UNAVAILABLE', 'the log answered with no point');
    return { ...complete, position: encodePosition(point) };
  }

  close(options: { spreadMs?: number; timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.spreadMs ?? 2_000, options.timeoutMs ?? 10_000);
    return this.#closing;
  }

  /** Builds handlers and subscribers, once; what is wrong with one ends the start. */
  async build(options: GatewayOptions, logger: Logger): Promise<void> {
    const context: HandlerContext = {
      connections: (route) => this.connections(route),
      publish: (event) => this.publish(event),
      logger,
    };
    try {
      for (const route of this.#parts.routes.all) {
        for (const built of options.routes[route.name]?.handlers ?? []) route.handle(await build(built, context));
      }
      for (const built of options.subscribers ?? []) this.#subscribe(await build(built, context), logger);
    } catch (error) {
      await this.close({ spreadMs: 0 });
      throw error;
    }
  }

  #subscribe(subscriber: Subscriber, logger: Logger): void {
    const name = subscriber.name ?? 'subscriber';
    const link = new SubscriberLink(subscriber, name, logger);
    link.subscription = this.#parts.hub.subscribe({
      id: this.#subscribers.length,
      link,
      filter: createFilter({ types: subscriber.events }),
      since: undefined,
      snapshots: undefined,
      onFailed: (error) => logger.error({ subscriber: name, err: error }, 'a subscriber is served no longer'),
    });
    this.#subscribers.push(link);
  }

  async #close(spreadMs: number, timeoutMs: number): Promise<void> {
    const { door, front, heartbeat, hub, log, owned } = this.#parts;
    heartbeat.stop();
    door.close();
    front.close();
    await drain(door, { spreadMs, timeoutMs, clock: systemClock });
    front.destroy();
    await hub.close();
    for (const subscriber of this.#subscribers) subscriber.close();
    if (owned) await log.close();
  }
}

async function build<T extends object>(built: Built<T>, context: HandlerContext): Promise<T> {
  return typeof built === 'function' ? built(context) : built;
}
