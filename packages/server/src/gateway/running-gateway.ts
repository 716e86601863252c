import {
  assertNotReserved,
  type BlockTarget,
  createEvent,
  type NewEvent,
  PregonError,
  type PregonEvent,
  type Revocation,
  type RevocationTarget,
  type RevokedSubject,
  recordRevocation,
  toBlock,
  toRevocation,
  toUnblock,
} from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import type { AccessLimits } from '../access/limits/access-limits.js';
import type { Revocations } from '../access/revocations/revocations.js';
import { OtherGateways } from '../core/broadcasts/other-gateways.js';
import { shareBroadcasts } from '../core/broadcasts/shared-broadcasts.js';
import type { Connections } from '../core/connections/connections.js';
import type { Heartbeat } from '../core/connections/heartbeat.js';
import type { Hub } from '../core/delivery/hub.js';
import type { Log } from '../core/ports/log.js';
import type { TransportEntrance } from '../core/ports/transport.js';
import { systemClock } from '../core/time/clock.js';
import { atMost } from '../core/time/deadline.js';
import { createFilter } from '../core/topics/filter.js';
import { deriveKey } from '../logs/secrets/derive-key.js';
import type { ClientRegistry } from '../transports/client-registry.js';
import type { ComponentEntrance } from '../transports/component/component-entrance.js';
import type { MessageComponent } from '../transports/component/message-component.js';
import type { MountOptions } from '../transports/component/mount-options.js';
import type { Siblings } from '../transports/entrance.js';
import type { LazySocketIo } from '../transports/socketio/lazy-socketio.js';
import type { SocketIoEntrance } from '../transports/socketio/socketio-entrance.js';
import type { SocketIoOptions } from '../transports/socketio/socketio-options.js';
import type { OnlySocketIoTypes, SocketIo } from '../transports/socketio/socketio-types.js';
import type { Auth } from './auth.js';
import { drain } from './drain.js';
import type { Front } from './entrances/front.js';
import type { RouteEntrance } from './entrances/route-entrance.js';
import type { Gateway, ListenOptions } from './gateway.js';
import type { PublishingChains } from './gateway-admissions.js';
import { guardLogger } from './guard-logger.js';
import type { Built, GatewayLimits, GatewayOptions, HandlerContext, Logger, Subscriber } from './options.js';
import type { Routes } from './routes.js';
import type { AttachableServer } from './server/attachable-server.js';
import { QueueSubscribers } from './subscribers/queue-subscribers.js';
import { SubscriberSink } from './subscribers/subscriber-sink.js';
import { transportsOf } from './transports.js';
import { assertOrigins } from './validate.js';

export interface LogState {
  /** Why the log cannot be read now; undefined if it can. */
  unavailable: string | undefined;
}

/** The parts of a gateway. */
export interface Parts {
  readonly log: Log;
  /** Whether the log is closed with the gateway. */
  readonly owned: boolean;
  readonly auth: Auth | undefined;
  readonly publishing: PublishingChains | undefined;
  readonly access: AccessLimits;
  /** Undefined if no client has an identity. */
  readonly revocations: Revocations | undefined;
  readonly maxTokenLifetimeMs: number | undefined;
  readonly hub: Hub;
  readonly heartbeat: Heartbeat;
  readonly registry: ClientRegistry;
  readonly components: ComponentEntrance;
  readonly routeEntrance: RouteEntrance;
  readonly front: Front;
  readonly routes: Routes;
  readonly limits: Required<GatewayLimits>;
  readonly state: Readonly<LogState>;
  /** The other processes on the same port, if there are any. */
  readonly siblings: Siblings | undefined;
}

/** A gateway with the methods that only `pregon run` needs: a gateway as a process of its own. */
export interface ServedGateway extends Gateway {
  /** Appends an event unchanged, and resolves with its position when the log has stored it safely. */
  append(event: PregonEvent): Promise<string>;
  /** The limits on clients, which also apply to other ports of the process. */
  readonly access: AccessLimits;
  /** Records a revocation in the log, for all gateways. */
  record(revocation: Revocation): Promise<void>;
  /** Decides about publishers over HTTP by the rules of the routes; undefined if none of them grants to publish. */
  readonly publishing: PublishingChains | undefined;
  /** Reads the keys of tokens again at once, if there are any. Never rejects. */
  reloadKeys(): Promise<void>;
}

/** The implementation of {@link Gateway}. */
export class RunningGateway<T extends OnlySocketIoTypes<T>> implements Gateway<T> {
  readonly #parts: Parts;
  readonly #subscribers: SubscriberSink[] = [];
  #queueSubscribers: QueueSubscribers | undefined;
  #others: OtherGateways | undefined;
  #socketIo: LazySocketIo<T> | undefined;
  #secret: string | undefined;
  #logger: Logger = guardLogger(undefined);
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get routes(): Gateway['routes'] {
    return this.#parts.routes.all;
  }

  get notReady(): string | undefined {
    if (this.#closing) return 'the gateway is going away';
    return this.#parts.state.unavailable ? 'the log cannot be read' : undefined;
  }

  /** Connects this gateway to the other gateways on the log; undefined if the log cannot connect them. */
  get others(): OtherGateways | undefined {
    return this.#others;
  }

  connections(route: string): Connections {
    return this.#parts.routes.connections(route);
  }

  get io(): SocketIo<T> {
    if (this.#socketIo) return this.#socketIo.io;
    throw new PregonError(
      'CONFIG_INVALID',
      'this gateway does not serve Socket.IO: it was made with socketIo: false, or with transports that lack socketIo()',
    );
  }

  mount(path: string, component: MessageComponent, options: MountOptions = {}): void {
    assertOrigins(options.allowedOrigins);
    this.#parts.components.mount(path, component, options);
  }

  listen(options: ListenOptions = {}): Promise<{ host: string; port: number }> {
    return this.#parts.front.listen(options);
  }

  attach(server: AttachableServer): void {
    this.#parts.front.attach(server);
  }

  async publish(event: NewEvent): Promise<PregonEvent> {
    const complete = createEvent(event, { id: uuid(), time: new Date().toISOString() });
    return { ...complete, position: await this.append(complete) };
  }

  /** Appends an event unchanged. @returns its position */
  async append(event: PregonEvent): Promise<string> {
    assertNotReserved(event.exchange);
    const [point] = await this.#parts.log.append([event]);
    if (!point) throw new PregonError('LOG_UNAVAILABLE', 'the log returned no point for an appended event');
    return this.#parts.hub.positionOf(point);
  }

  async revoke(target: RevocationTarget): Promise<void> {
    await this.record(toRevocation(target, Date.now()));
  }

  async block(target: BlockTarget): Promise<void> {
    await this.record(toBlock(target, Date.now()));
  }

  async unblock(target: RevokedSubject): Promise<void> {
    await this.record(toUnblock(target, Date.now()));
  }

  /** Records a revocation in the log, for all gateways. */
  record(revocation: Revocation): Promise<void> {
    const { log, maxTokenLifetimeMs } = this.#parts;
    return recordRevocation(log, revocation, { id: uuid(), nowMs: Date.now(), maxTokenLifetimeMs });
  }

  get access(): AccessLimits {
    return this.#parts.access;
  }

  get publishing(): PublishingChains | undefined {
    return this.#parts.publishing;
  }

  async reloadKeys(): Promise<void> {
    await this.#parts.auth?.reload();
  }

  close(options: { spreadMs?: number; timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.spreadMs ?? 2_000, options.timeoutMs ?? 10_000);
    return this.#closing;
  }

  /** Builds handlers and subscribers, once. An error in one of them ends the start. */
  async build(options: GatewayOptions, logger: Logger): Promise<void> {
    const context: HandlerContext = {
      connections: (route) => this.connections(route),
      publish: (event) => this.publish(event),
      logger,
    };
    try {
      this.#others = await this.#joinOthers(logger);
      this.#secret = options.secret;
      this.#logger = logger;
      for (const entrance of await this.#parts.routeEntrance.open(transportsOf(options)))
        this.#parts.front.add(entrance);
      for (const route of this.#parts.routes.all) {
        for (const built of options.routes?.[route.name]?.handlers ?? []) route.handle(await build(built, context));
      }
      await this.#startSubscribers(options, context);
    } catch (error) {
      await this.close({ spreadMs: 0 });
      throw error;
    }
  }

  /**
   * Opens the entrance of Socket.IO; its server is {@link RunningGateway.io}.
   * @throws TypeError if it is already open
   */
  async openSocketIo(socketIo: SocketIoOptions): Promise<TransportEntrance> {
    if (this.#socketIo) throw new TypeError('transports: socketIo() is listed twice; remove one of the two');
    const { LazySocketIo } = await import('../transports/socketio/lazy-socketio.js');
    const { registry, front, log, limits, siblings, auth } = this.#parts;
    const { maxFrameBytes, maxPolledPackets } = limits;
    const secret = this.#secret ?? (await log.secret());
    const options = {
      options: socketIo,
      registry,
      others: this.#others,
      secret: deriveKey(secret, 'private session ids', 32).toString('base64url'),
      maxFrameBytes,
      maxPolledPackets,
      shape: { maxDepth: limits.maxFrameDepth, maxValues: limits.maxFrameValues },
      hasAuth: auth !== undefined,
    };
    const prepare = (opened: SocketIoEntrance<T>) => {
      if (siblings) opened.io.engine.generateId = () => siblings.newSessionId();
      opened.ports = {
        attach: (server) => front.attach(server, entrance),
        detach: (server) => front.detach(server, entrance),
        get server() {
          return front.server;
        },
      };
    };
    const onFailed = (err: unknown) => this.#logger.error({ err }, 'a Socket.IO client could not be served');
    const lazy = new LazySocketIo<T>(options, prepare, onFailed);
    this.#socketIo = lazy;
    const entrance = siblings?.share(lazy) ?? lazy;
    return {
      ownPath: {
        path: lazy.path,
        knows: (target) => entrance.knows(target),
        arrives: (request) => entrance.arrives(request),
      },
      takes: () => true,
      request: (request, response) => entrance.request(request, response),
      upgrade: (request, stream, head) => entrance.upgrade(request, stream, head),
      destroy: () => entrance.destroy(),
    };
  }

  async #joinOthers(logger: Logger): Promise<OtherGateways | undefined> {
    const { log, routes, auth } = this.#parts;
    if (!log.ephemeral) return undefined;
    const onFailed = (error: Error) =>
      logger.warn({ err: error }, 'a broadcast from another gateway was not delivered');
    const others = await OtherGateways.join(log.ephemeral, onFailed);
    shareBroadcasts(others, routes.all);
    auth?.tickets.tickets.share((hear) => others.open('tickets', hear));
    return others;
  }

  async #startSubscribers({ subscribers, queues, exchanges }: GatewayOptions, context: HandlerContext): Promise<void> {
    const started: Subscriber[] = [];
    for (const built of subscribers ?? []) started.push(await build(built, context));
    if (queues && queues.length > 0) {
      this.#queueSubscribers = await QueueSubscribers.start(this.#parts.log, queues, started, context.logger);
    } else {
      for (const subscriber of started) this.#subscribe(subscriber, exchanges, context.logger);
    }
  }

  #subscribe(subscriber: Subscriber, exchanges: readonly string[] | undefined, logger: Logger): void {
    const name = subscriber.name ?? 'subscriber';
    const sink = new SubscriberSink(subscriber, name, logger);
    sink.subscription = this.#parts.hub.subscribe({
      id: this.#subscribers.length,
      sink,
      filter: createFilter({ types: subscriber.events, exchanges }),
      since: undefined,
      snapshots: undefined,
      owner: {
        hasSeveral: false,
        subscriptionFailed: (_, error) =>
          logger.error({ subscriber: name, err: error }, 'a subscriber gets no more events'),
      },
    });
    this.#subscribers.push(sink);
  }

  async #close(spreadMs: number, timeoutMs: number): Promise<void> {
    const { registry, components, front, heartbeat, hub, revocations, log, owned } = this.#parts;
    const deadline = systemClock.now() + timeoutMs;
    heartbeat.stop();
    registry.close();
    front.leave();
    const componentsClosed = atMost(timeoutMs, components.close(), systemClock);
    // Clients of long polling must reach this port until the end; the registry refuses new clients.
    await drain(registry, { spreadMs, timeoutMs, clock: systemClock });
    await componentsClosed;
    front.close();
    front.destroy();
    await hub.close();
    await revocations?.close();
    const subscribers = [this.#queueSubscribers?.stop(), ...this.#subscribers.map((subscriber) => subscriber.close())];
    await atMost(Math.max(deadline - systemClock.now(), 0), Promise.all(subscribers), systemClock);
    await this.#others?.leave();
    this.#parts.auth?.close();
    if (owned) await log.close();
  }
}

async function build<T extends object>(built: Built<T>, context: HandlerContext): Promise<T> {
  return typeof built === 'function' ? built(context) : built;
}
