import type { NewEvent, PregonEvent } from '@pregon/protocol';
import type { Connections } from '../core/connections/connections.js';
import type { Admission } from '../core/ports/admission.js';
import type { Log } from '../core/ports/log.js';
import type { LogDriver } from '../core/ports/log-driver.js';
import type { Observer } from '../core/ports/observer.js';
import type { Transport } from '../core/ports/transport.js';
import type { QueueName } from '../core/ports/work-queue.js';
import type { RouteHandlers } from '../core/routes/handlers.js';
import type { SnapshotFunction } from '../core/snapshots/snapshot.js';
import type { SocketIoOptions } from '../transports/socketio/socketio-options.js';

export type { RouteHandlers } from '../core/routes/handlers.js';

/** What a handler or subscriber is built with, once, when the gateway starts. */
export interface HandlerContext {
  /**
   * The connections of a route.
   *
   * @throws PregonError ROUTE_UNKNOWN, with the routes there are
   */
  connections(route: string): Connections;
  publish(event: NewEvent): Promise<PregonEvent>;
  readonly logger: Logger;
}

/** An in-process listener: sees each event of the named types once, in order, from the gateway's start on. */
export interface Subscriber {
  /** @default the file's name */
  readonly name?: string;
  /** Event types: `['UserWasCreated']`; `['*']` for all. */
  readonly events: readonly string[];
  /** The next event waits until this has resolved. What it throws is logged, and the next event follows. */
  handle(event: PregonEvent): unknown;
}

/** Either the thing itself or a function that builds it once at start. */
export type Built<T> = T | ((context: HandlerContext) => T | Promise<T>);

export interface CompressionOptions {
  /** Texts of fewer bytes go uncompressed: little is saved, and each costs the client as much. @default 512 */
  readonly thresholdBytes?: number;
}

export interface RouteOptions {
  /** Where clients connect: `/events`. */
  readonly path: string;
  /** Only events of these exchanges. @default those of the gateway */
  readonly exchanges?: readonly string[];
  /** Only events that match one of these AMQP patterns; what clients ask for narrows it further. @default ['#'] */
  readonly topics?: readonly string[];
  /** The state that the events of this route change: a function, or a URL that answers {@link Snapshot} as JSON. */
  readonly snapshot?: SnapshotFunction | string;
  readonly handlers?: readonly Built<RouteHandlers>[];
  /** Relay what a client sends to all others on the route, on all gateways of the log. @default false */
  readonly broadcast?: boolean;
  /**
   * Compress events for the WebSocket clients that offer permessage-deflate, once for all of them; the others get them plain. Off unless
   * asked for: it makes clients compress what they send, and an attacker who can put text of his own into events that hold a secret
   * learns of it by their size.
   *
   * @default false
   */
  readonly compression?: boolean | CompressionOptions;
}

export interface GatewayLimits {
  /** How often each side shows that it is alive; a side silent for two of these is taken for dead. @default 25000 */
  readonly heartbeatMs?: number;
  /** How long a connection may take not one byte of what waits for it. @default 120000 */
  readonly stallTimeoutMs?: number;
  /** How long a client may take over its handshake: the head of a request. A body may take `stallTimeoutMs`. @default 10000 */
  readonly handshakeTimeoutMs?: number;
  /**
   * How long an idle connection of HTTP is kept for the next request. More than the idle timeout of a balancer in front, which would
   * else send a request just as the connection is closed. @default 65000
   */
  readonly keepAliveTimeoutMs?: number;
  /** The largest frame taken from a client, in bytes. @default 1048576 (1 MiB) */
  readonly maxFrameBytes?: number;
  /**
   * How many frames are read from a connection, in the long run; more wait in its socket, and none is lost. 0 for no limit.
   * @default 200
   */
  readonly maxFramesPerSecond?: number;
  /** How many packets a client of Socket.IO may send in one request of long polling; for more it is answered 413. @default 10000 */
  readonly maxPolledPackets?: number;
  /** How many frames are read at once from a connection that was quiet before. @default 1000 */
  readonly frameBurst?: number;
  /** How many bytes of messages are read from a connection, after decompression; more wait. 0 for no limit. @default 1000000 */
  readonly maxIncomingBytesPerSecond?: number;
  /** How many bytes are read at once from a connection that was quiet before. @default 4000000 */
  readonly incomingBytesBurst?: number;
  /** How many subscriptions a connection may open; more are refused with RATE_LIMITED. 0 for no limit. @default 50 */
  readonly maxSubscribesPerSecond?: number;
  /** How many subscriptions a connection that was quiet before may open at once. @default 200 */
  readonly subscribeBurst?: number;
  /** How many subscriptions with `since` a connection may open; more are refused with RATE_LIMITED. 0 for no limit. @default 20 */
  readonly maxReplaysPerMinute?: number;
  /** How many subscriptions with `since` a connection that was quiet before may open at once. @default 100 */
  readonly replayBurst?: number;
  /** How many subscriptions with `snapshot` a connection may open; more are refused with RATE_LIMITED. 0 for no limit. @default 10 */
  readonly maxSnapshotsPerMinute?: number;
  /** How many subscriptions with `snapshot` a connection that was quiet before may open at once. @default 100 */
  readonly snapshotBurst?: number;
  /** How deeply arrays and objects may be nested in a frame of `pregon.v1` or an event of Socket.IO. @default 64 */
  readonly maxFrameDepth?: number;
  /** How many values (members, elements, arrays, objects) a frame of `pregon.v1` or an event of Socket.IO may hold. @default 16384 */
  readonly maxFrameValues?: number;
  /** From how many waiting bytes on a connection counts as full, and is served from its cursor as it drains. @default 65536 */
  readonly maxBufferedBytes?: number;
  /** @default 100 */
  readonly maxSubscriptions?: number;
  /** How many topic patterns all subscriptions of a connection may have together. @default 1000 */
  readonly maxTopics?: number;
  /** How many bytes of UTF-8 these patterns may have together. @default 262144 (256 KiB) */
  readonly maxTopicsBytes?: number;
  /** The largest snapshot of a route, in bytes of JSON. @default 268435456 (256 MiB) */
  readonly maxSnapshotBytes?: number;
  /** How many bytes of the newest events are kept in memory. @default 16777216 (16 MiB) */
  readonly historyBytes?: number;
  /** The least time between two flushes, in milliseconds; 0 for one turn of the event loop. @default 0 */
  readonly flushIntervalMs?: number;
}

/** What the gateway tells whoever watches it; pino's loggers have this shape. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface GatewayOptions extends GatewayLimits {
  /** A log, or where it is: `sqlite:data/pregon.db`. One that was handed in is not closed with the gateway. */
  readonly log: Log | string;
  /** Kinds of logs that `log` may name beside those that are built in. */
  readonly logDrivers?: readonly LogDriver[];
  /** The exchanges whose events are read. @default all of the log */
  readonly exchanges?: readonly string[];
  /** By name. @default none: Socket.IO and components alone */
  readonly routes?: Readonly<Record<string, RouteOptions>>;
  readonly subscribers?: readonly Built<Subscriber>[];
  /**
   * Queues from which the subscribers take their events, sharing them with the gateways that name the same queue; connections get
   * everything all the same. For logs on RabbitMQ. @default each gateway's subscribers get every event
   */
  readonly queues?: readonly QueueName[];
  /**
   * The origins whose pages may connect, as browsers send them: `https://shop.example`; `null` for pages from disk. With none
   * named: pages from loopback addresses and from disk may reach a gateway that is addressed by a loopback name, nothing else.
   */
  readonly allowedOrigins?: readonly string[];
  /** Rules that decide whether a client may come in, asked in order after `allowedOrigins`, at every entrance. @default [] */
  readonly admissions?: readonly Admission[];
  /**
   * How clients come in. A request to a route is offered to them in this order; Socket.IO has a path of its own.
   *
   * @default [websocket(), sse(), socketIo()]
   */
  readonly transports?: readonly Transport[];
  /**
   * Adds Socket.IO to the transports, with these options, or leaves it out of the default ones. Its clients resume by our positions:
   * rooms and recovery are not its to configure. @default Socket.IO's own options, if `transports` is absent
   */
  readonly socketIo?: SocketIoOptions | false;
  /**
   * What all gateways share to which a client may return; it signs what clients of Socket.IO return with, so that nobody takes
   * the id of another. @default one that the log keeps, where it can; else one of this process
   */
  readonly secret?: string;
  /** @default says nothing */
  readonly logger?: Logger;
  /** Are told what happens: connections, refusals, what becomes of the log. @default none beside the log lines */
  readonly observers?: readonly Observer[];
}
