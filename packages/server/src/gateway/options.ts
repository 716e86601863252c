import type { NewEvent, PregonEvent } from '@pregon/protocol';
import type { ClientAddressOptions } from '../access/addresses/client-address-options.js';
import type { ClientLimitOptions } from '../access/limits/client-limit-options.js';
import type { Rule } from '../access/rules/rule.js';
import type { TokenOptions } from '../access/tokens/issuer-options.js';
import type { Connections } from '../core/connections/connections.js';
import type { Admission, EntranceAccess, Verify } from '../core/ports/admission.js';
import type { Log } from '../core/ports/log.js';
import type { LogDriver } from '../core/ports/log-driver.js';
import type { Observer } from '../core/ports/observer.js';
import type { Transport } from '../core/ports/transport.js';
import type { QueueName } from '../core/ports/work-queue.js';
import type { Authorize } from '../core/routes/authorize.js';
import type { RouteHandlers } from '../core/routes/handlers.js';
import type { IdentitySnapshot, RightsSnapshot, SnapshotFunction, UrlSnapshot } from '../core/snapshots/snapshot.js';
import type { SocketIoOptions } from '../transports/socketio/socketio-options.js';

export type { RouteHandlers } from '../core/routes/handlers.js';

/** Passed to the functions that build handlers and subscribers, once, when the gateway starts. */
export interface HandlerContext {
  /**
   * The connections of a route.
   *
   * @throws PregonError ROUTE_UNKNOWN, which lists the existing routes
   */
  connections(route: string): Connections;
  publish(event: NewEvent): Promise<PregonEvent>;
  readonly logger: Logger;
}

/** A listener in this process: gets each event of the named types once, in order, beginning when the gateway starts. */
export interface Subscriber {
  /** Names the subscriber in log lines. @default the file's name */
  readonly name?: string;
  /** Event types: `['UserWasCreated']`; `['*']` for all. */
  readonly events: readonly string[];
  /** Handles an event. The next event waits until this resolves. An error is logged, and the next event follows. */
  handle(event: PregonEvent): unknown;
}

/** An object, or a function that builds it once, at start. */
export type Built<T> = T | ((context: HandlerContext) => T | Promise<T>);

export interface CompressionOptions {
  /**
   * Messages with fewer bytes are not compressed: that saves little, and each costs the client the same work.
   * @default 512
   */
  readonly thresholdBytes?: number;
}

export interface RouteOptions {
  /** The path at which clients connect: `/events`. */
  readonly path: string;
  /** Only events of these exchanges. @default the exchanges of the gateway */
  readonly exchanges?: readonly string[];
  /**
   * Only events that match one of these AMQP patterns. The topics of a subscription narrow this further.
   * @default ['#']
   */
  readonly topics?: readonly string[];
  /**
   * The state that the events of this route change: a function, or a URL that returns a {@link Snapshot} as JSON. It has
   * the rows of all topics, and only clients with the right to all topics may have it. For clients with limited rights,
   * `{ per: 'rights', read }` and `{ per: 'rights', url }` are told which topics a client may read, and
   * `per: 'identity'` its identity as well.
   *
   * @default the error SNAPSHOT_NOT_OFFERED
   */
  readonly snapshot?: SnapshotFunction | RightsSnapshot | IdentitySnapshot | UrlSnapshot | string;
  /**
   * What clients may do on this route. Needs `auth`; what no rule grants is forbidden.
   *
   * @default with `auth`, the route is closed unless `access` opens it; without `auth`, see `access` of the gateway
   */
  readonly allow?: readonly Rule[];
  /** Opens the route to all clients whose origin is allowed: without a token, and with all rights. */
  readonly access?: 'public';
  readonly handlers?: readonly Built<RouteHandlers>[];
  /** Relays each message of a client to all other clients of the route, on all gateways of the log. @default false */
  readonly broadcast?: boolean;
  /**
   * Compresses events for WebSocket clients that offer permessage-deflate, once for all of them; other clients get them
   * uncompressed. Off by default, for two reasons. Clients then compress what they send. And an attacker who can put
   * text of his own into events that hold a secret can learn the secret from their size.
   *
   * @default false
   */
  readonly compression?: boolean | CompressionOptions;
}

/** How the gateway knows its clients: by tokens, by a function of the application, by both, or by its hook. One is required. */
export interface AuthOptions extends Partial<TokenOptions> {
  /**
   * Finds the identity of a client by the application's own means, such as a session. It is asked before tokens are
   * looked at. `undefined` means that there is no identity: the rules decide about the client.
   *
   * @default only tokens count
   */
  readonly verify?: Verify;
  /**
   * Asks the application who a client is: the http or https URL of a `GET` with the client's `Cookie`, `Authorization`,
   * `Origin`, `User-Agent` and `Accept-Language`, and its address in `Pregon-Client-Address`. The application answers
   * within 2 seconds: 200 with `{ sub, iss?, claims?, expiresInMs?, jti? }` as JSON of at most 64 KiB; 204 for an
   * anonymous client; 401 or 403 to refuse it. Any other answer, and none, refuses the client with 503. An identity lasts
   * `maxTokenLifetimeMs` at most. Excludes `issuers`, `verify`, `cookie` and `leewayMs`.
   *
   * @default the application is not asked
   */
  readonly hook?: string;
  /**
   * Asked about each subscription that the rules allow, for what rules cannot say; at connect, resume, replay and
   * snapshot alike, and again when the identity is renewed. See {@link Authorize}. @default the rules alone decide
   */
  readonly authorize?: Authorize;
  /** Further headers that the hook gets, such as `X-Tenant`. @default [] */
  readonly forward?: readonly string[];
}

export interface GatewayLimits extends ClientLimitOptions {
  /**
   * The interval, in milliseconds, at which each side gives a sign of life. A side that is silent for two intervals
   * counts as dead.
   * @default 25000
   */
  readonly heartbeatMs?: number;
  /** The most milliseconds in which a connection with waiting bytes may take none of them. @default 120000 */
  readonly stallTimeoutMs?: number;
  /**
   * The most milliseconds for a handshake, which is the head of a request. A body may take `stallTimeoutMs`.
   * @default 10000
   */
  readonly handshakeTimeoutMs?: number;
  /**
   * How long an idle HTTP connection is kept open, in milliseconds. It must exceed the idle timeout of a load balancer
   * in front, which might otherwise send a request just as the connection closes.
   * @default 65000
   */
  readonly keepAliveTimeoutMs?: number;
  /** The largest frame that is accepted from a client, in bytes. @default 1048576 (1 MiB) */
  readonly maxFrameBytes?: number;
  /**
   * The sustained rate of frames that are read from one connection. Further frames wait in the socket; none is lost. 0
   * means no limit.
   * @default 200
   */
  readonly maxFramesPerSecond?: number;
  /**
   * The most packets that a Socket.IO client may send in one request of long polling; a larger request is answered with
   * 413.
   * @default 10000
   */
  readonly maxPolledPackets?: number;
  /** How many frames are read at once from a connection that was quiet before. @default 1000 */
  readonly frameBurst?: number;
  /**
   * The sustained rate of message bytes, after decompression, that are read from one connection. Further bytes wait. 0
   * means no limit.
   * @default 1000000
   */
  readonly maxIncomingBytesPerSecond?: number;
  /** How many bytes are read at once from a connection that was quiet before. @default 4000000 */
  readonly incomingBytesBurst?: number;
  /**
   * How many subscriptions a connection may open; further ones are refused with RATE_LIMITED. 0 means no limit.
   * @default 50
   */
  readonly maxSubscribesPerSecond?: number;
  /** How many subscriptions a connection that was quiet before may open at once. @default 200 */
  readonly subscribeBurst?: number;
  /**
   * How many subscriptions with `since` a connection may open; further ones are refused with RATE_LIMITED. 0 means no
   * limit.
   * @default 20
   */
  readonly maxReplaysPerMinute?: number;
  /** How many subscriptions with `since` a connection that was quiet before may open at once. @default 100 */
  readonly replayBurst?: number;
  /**
   * How many subscriptions with `snapshot` a connection may open; further ones are refused with RATE_LIMITED. 0 means
   * no limit.
   * @default 10
   */
  readonly maxSnapshotsPerMinute?: number;
  /** How many subscriptions with `snapshot` a connection that was quiet before may open at once. @default 100 */
  readonly snapshotBurst?: number;
  /** How deeply arrays and objects may be nested in a frame of `pregon.v1` or an event of Socket.IO. @default 64 */
  readonly maxFrameDepth?: number;
  /**
   * How many values (members, elements, arrays, objects) a frame of `pregon.v1` or an event of Socket.IO may hold.
   * @default 16384
   */
  readonly maxFrameValues?: number;
  /** A connection with more waiting bytes counts as full, and is served from its cursor as it drains. @default 65536 */
  readonly maxBufferedBytes?: number;
  /** How many subscriptions a connection may have open at once. @default 100 */
  readonly maxSubscriptions?: number;
  /** How many topic patterns all subscriptions of a connection may have together. @default 1000 */
  readonly maxTopics?: number;
  /** How many bytes of UTF-8 those topic patterns may have together. @default 262144 (256 KiB) */
  readonly maxTopicsBytes?: number;
  /** The largest snapshot of a route, in bytes of JSON. @default 268435456 (256 MiB) */
  readonly maxSnapshotBytes?: number;
  /** How many bytes of the newest events are kept in memory. @default 16777216 (16 MiB) */
  readonly historyBytes?: number;
  /** The least time between two flushes, in milliseconds; 0 means one event loop turn. @default 0 */
  readonly flushIntervalMs?: number;
}

/** The log lines of the gateway go here; loggers of pino have this shape. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export interface GatewayOptions extends GatewayLimits, ClientAddressOptions {
  /**
   * A log, or its address: `sqlite:data/pregon.db`. A log that is passed as an object is not closed with the gateway.
   */
  readonly log: Log | string;
  /** Drivers for further kinds of logs that `log` may name, beside the built-in ones. */
  readonly logDrivers?: readonly LogDriver[];
  /** The exchanges whose events are read. @default all exchanges of the log */
  readonly exchanges?: readonly string[];
  /** The routes by name. @default none: only Socket.IO and components are served */
  readonly routes?: Readonly<Record<string, RouteOptions>>;
  readonly subscribers?: readonly Built<Subscriber>[];
  /**
   * Queues from which the subscribers take their events. They share the events with other gateways that name the same
   * queue; connections still get all events. Only for logs on RabbitMQ.
   * @default the subscribers of each gateway get every event
   */
  readonly queues?: readonly QueueName[];
  /**
   * `public` admits every client whose origin is allowed, without a token, at every entrance. It cannot be set beside
   * `auth`.
   *
   * @default without `auth`, only this machine may connect: clients with a loopback address that call the gateway by a
   *   loopback name, without a proxy between. All others are refused with 401. A route or component with `access` is
   *   open nevertheless. With `NODE_ENV=production`, a gateway with neither `auth` nor `access` does not start
   */
  readonly access?: 'public';
  /**
   * The origins whose pages may connect, as browsers send them: `https://shop.example`. `null` stands for sandboxed
   * frames of any site, and for Firefox's pages from disk; such pages connect without cookies.
   * @default pages from loopback addresses, and Chromium's pages from disk by plain WebSocket; only if the gateway is
   *   addressed by a loopback name
   */
  readonly allowedOrigins?: readonly string[];
  /** Adds `null` to the origins whose pages may connect, and keeps the default ones. @default false */
  readonly allowNullOrigin?: boolean;
  /**
   * Rules that decide whether a client may connect. Every entrance asks them in order, after `allowedOrigins`.
   * @default []
   */
  readonly admissions?: readonly Admission[];
  /**
   * How the gateway knows its clients. With it, everything is closed that no rule opens: each route needs `allow` or
   * `access`, each namespace of Socket.IO that is not a route needs a line in `namespaces`, each component needs the
   * option `access` of its mount. @default every client is anonymous, and `access` says who may connect
   */
  readonly auth?: AuthOptions;
  /** With `auth`: access to the namespaces of Socket.IO that are not routes, by name. @default {}: all closed */
  readonly namespaces?: Readonly<Record<string, EntranceAccess>>;
  /**
   * How clients connect. A request to a route is offered to the transports in this order; Socket.IO has a path of its
   * own.
   *
   * @default [websocket(), sse(), socketIo()]
   */
  readonly transports?: readonly Transport[];
  /**
   * Adds Socket.IO with these options to the transports, or `false` removes it from the default ones. Its clients
   * resume by Pregon's positions, so rooms and recovery cannot be configured.
   * @default Socket.IO's own options, if `transports` is absent
   */
  readonly socketIo?: SocketIoOptions | false;
  /**
   * A secret that all gateways share to which a client may return. The keys for positions and for the session ids of
   * Socket.IO clients are derived from it, so that no client can take over the session of another.
   * @default the secret of the log
   */
  readonly secret?: string;
  /**
   * A secret of at least 32 bytes that signs the requests to the URLs of snapshots. The application that has the same
   * secret then knows that the gateway asks, and for whom. Required for a URL with `per`; see docs/guide/access.md.
   *
   * @default requests are not signed
   */
  readonly snapshotSecret?: string | Uint8Array;
  /** A file with that secret, instead of {@link snapshotSecret}. It is read for each request, so it can be replaced. */
  readonly snapshotSecretFile?: string;
  /** @default nothing is logged */
  readonly logger?: Logger;
  /** Notified of connections, refusals and changes of the log, in addition to the log lines. @default none */
  readonly observers?: readonly Observer[];
}
