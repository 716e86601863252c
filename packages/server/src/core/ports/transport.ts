import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestId, Since } from '@pregon/protocol';
import type { Connection, TransportName } from '../connections/connection.js';
import type { Route } from '../routes/route.js';
import type { Identity, Refusal } from './admission.js';
import type { Link } from './link.js';
import type { Rights } from './rights.js';

export type { Identity, Refusal } from './admission.js';

/** The parsed URL of a client. */
export interface Query {
  /** The path without the query. */
  readonly path: string;
  /** Topic patterns: `?topics=user.%23,auction.42.*`, or a repeated parameter. */
  readonly topics: readonly string[] | undefined;
  readonly since: Since | undefined;
  /**
   * The last event id in the query, from an EventSource that cannot send the header `Last-Event-ID`. It is not
   * validated.
   */
  readonly lastEventId: string | undefined;
  /** `?snapshot=true` */
  readonly snapshot: boolean;
}

/** An admitted client: its route, and its parsed URL. */
export interface Admitted {
  readonly route: Route;
  readonly query: Query;
  /** The client's identity, if an admission returned one. */
  readonly identity: Identity | undefined;
  /** What the client may do on the route; undefined if no admission limits it. */
  readonly rights: Rights | undefined;
}

/** A connection as its transport sees it. */
export interface Session extends Connection {
  /**
   * Opens a subscription. Its events and errors go to the link.
   *
   * @param id unique among the open subscriptions of this connection
   * @param topics AMQP topic patterns. Default: all topics of the route
   * @param since the position after which to resume, or `first`. Default: starts with new events
   * @param options.snapshot sends the route's snapshot first if `since` is absent or cannot be served. Default: false
   * @throws PregonError RATE_LIMITED | ID_IN_USE | TOO_MANY_SUBSCRIPTIONS | SNAPSHOT_NOT_OFFERED | POSITION_INVALID |
   *   TOPIC_INVALID
   */
  subscribe(
    id: RequestId,
    topics: readonly string[] | undefined,
    since: Since | undefined,
    options?: { snapshot?: boolean },
  ): void;
  /** Sends an error of `subscribe` to the client, as an `error` frame of the link. Internal details are left out. */
  refuse(id: RequestId | undefined, error: unknown): void;
  /** Reports that the client has taken the waiting bytes. Call it when a link that was full has drained. */
  drained(): void;
  /** Reports a sign of life of the client. @param now the time of {@link Kernel.now} */
  heard(now: number): void;
  /** Passes a message of the client to the handlers. @param id given if the client expects an answer */
  receive(data: unknown, name: string | undefined, id: RequestId | undefined): void;
  /** Reports an error of this connection. */
  failed(error: Error): void;
}

/** The gateway as a transport sees it. */
export interface Kernel {
  /** A link must report that it is full if more bytes than this wait. */
  readonly maxBufferedBytes: number;
  /** The largest frame that is accepted from a client, in bytes. */
  readonly maxFrameBytes: number;
  /** The time in milliseconds, of a monotonic clock. */
  now(): number;
  /**
   * Decides whether to admit a client. Call it before any expensive work. It returns a promise only if an admission has
   * to wait. The promise never rejects, and resolves with a refusal if the client has left in the meantime.
   */
  admit(request: IncomingMessage): Admitted | Refusal | Promise<Admitted | Refusal>;
  /** Refuses a client with problem details (RFC 9457), and logs the reason. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void;
  /** Refuses an upgrade request in the same way, on its raw socket. */
  refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal): void;
  /** Opens a connection with a link. The transport then reports to the session until it calls {@link Kernel.leave}. */
  enter(admitted: Admitted, request: IncomingMessage, link: Link): Session;
  /** Closes a connection when its client is gone. Call it once; after it, nothing is written to the link. */
  leave(session: Session, code: number, reason: string): void;
}

/** A path that belongs to one transport, beside the paths of the routes. */
export interface OwnPath {
  /**
   * The transport owns all paths below it, such as `/socket.io`. No route, component or other gateway on the same
   * server can use them.
   */
  readonly path: string;
  /** Whether the transport handles this request target. @default each target below `path` */
  knows?(target: string | undefined): boolean;
  /** Whether a request comes from a client that is not connected yet. @default always true */
  arrives?(request: IncomingMessage): boolean;
}

/** One transport of one gateway, at the paths of its routes. */
export interface TransportEntrance {
  /** If present, the transport handles requests to this path, and none to routes. */
  readonly ownPath?: OwnPath;
  /**
   * Whether this transport handles the request. Transports are asked in the order of the gateway's `transports` option.
   */
  takes(request: IncomingMessage): boolean;
  /** Handles a `request` event. Absent if the transport handles only upgrades. A promise that it returns may reject. */
  request?(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  /** Handles an `upgrade` event. Absent if the transport handles no upgrades. A promise that it returns may reject. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void | Promise<void>;
  /** Ends all remaining connections at once, without a close frame. */
  destroy(): void;
}

/**
 * How clients connect and get frames. Pass transports to a gateway as values:
 * `createGateway({ transports: [websocket(), sse()] })`.
 *
 * Guarantees of a transport: it calls {@link Kernel.admit} before any expensive work; each socket has an error listener
 * from its first tick; its links do not buffer, see {@link Link}.
 */
export interface Transport {
  readonly name: TransportName;
  /**
   * How a client uses this transport: `connect by WebSocket`, `ask for text/event-stream`. Part of the error for
   * requests that no transport handles.
   */
  readonly offer: string;
  /** Creates the entrance of one gateway; called once for each gateway. */
  entrance(kernel: Kernel): TransportEntrance | Promise<TransportEntrance>;
}
