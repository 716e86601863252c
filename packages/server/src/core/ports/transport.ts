import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestId, Since } from '@pregon/protocol';
import type { Connection, TransportName } from '../connections/connection.js';
import type { Route } from '../routes/route.js';
import type { Identity, Refusal } from './admission.js';
import type { Link } from './link.js';

export type { Identity, Refusal } from './admission.js';

/** What the URL of a client asks for. */
export interface Query {
  /** Path without query. */
  readonly path: string;
  /** `?topics=user.%23,auction.42.*`, or repeated. */
  readonly topics: readonly string[] | undefined;
  readonly since: Since | undefined;
  /** The last id in the query, from an EventSource that cannot send the header `Last-Event-ID`; not validated. */
  readonly lastEventId: string | undefined;
  /** `?snapshot=true` */
  readonly snapshot: boolean;
}

/** Where a client is let in, and what it asks for. */
export interface Admitted {
  readonly route: Route;
  readonly query: Query;
  /** Who the client is, if an admission found out. */
  readonly identity: Identity | undefined;
}

/** A connection as the transport that it came by sees it. */
export interface Session extends Connection {
  /**
   * Opens a subscription. What comes of it goes to the link.
   *
   * @param id unlike those of the other open subscriptions of this connection
   * @param topics AMQP patterns. @default all of the route
   * @param since the position after which to go on, or `first`. @default from now on
   * @param options.snapshot the route's snapshot first, if `since` is absent or cannot be served
   * @throws PregonError RATE_LIMITED | ID_IN_USE | TOO_MANY_SUBSCRIPTIONS | SNAPSHOT_NOT_OFFERED | POSITION_INVALID | TOPIC_INVALID
   */
  subscribe(
    id: RequestId,
    topics: readonly string[] | undefined,
    since: Since | undefined,
    options?: { snapshot?: boolean },
  ): void;
  /** Tells the client, by a frame `error` of its link, what `subscribe` threw: without what only the log may hold. */
  refuse(id: RequestId | undefined, error: unknown): void;
  /** What waited for the client has been taken: to be called after the link was found full. */
  drained(): void;
  /** The client gave a sign of life. @param now by the clock of {@link Kernel.now} */
  heard(now: number): void;
  /** Hands over what the client sent. @param id if the client is to get an answer */
  receive(data: unknown, name: string | undefined, id: RequestId | undefined): void;
  /** Something went wrong on the way to this client. */
  failed(error: Error): void;
}

/** What a transport gets of the gateway. */
export interface Kernel {
  /** From how many waiting bytes on a link is to say that it is full. */
  readonly maxBufferedBytes: number;
  /** The largest frame taken from a client, in bytes. */
  readonly maxFrameBytes: number;
  /** Milliseconds, of a clock that only goes forward. */
  now(): number;
  /**
   * Decides whether a client is admitted; to be asked before anything that costs much. A promise only if an admission has to wait. It never
   * rejects, and resolves with a refusal if the client has left meanwhile.
   */
  admit(request: IncomingMessage): Admitted | Refusal | Promise<Admitted | Refusal>;
  /** Answers a client that is not let in with problem details (RFC 9457), and logs why. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void;
  /** The same for one that asked for an upgrade, on its bare socket. */
  refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal): void;
  /** Makes a connection of a link. From then on the transport tells it what happens, up to {@link Kernel.leave}. */
  enter(admitted: Admitted, request: IncomingMessage, link: Link): Session;
  /** The client is gone. To be called once; nothing is written to the link any more. */
  leave(session: Session, code: number, reason: string): void;
}

/** Paths that are a transport's own, beside those of the routes. */
export interface OwnPath {
  /** All below it is the transport's: `/socket.io`. No route, component or other gateway on the same server can have a path there. */
  readonly path: string;
  /** Whether this request target is one of its own. @default all that are below `path` */
  knows?(target: string | undefined): boolean;
  /** Whether a request comes from a client that is not connected yet. @default each does */
  arrives?(request: IncomingMessage): boolean;
}

/** One transport of one gateway, at the paths of its routes. */
export interface TransportEntrance {
  /** If it is present, the transport is asked about requests to its own path alone, and not about those to routes. */
  readonly ownPath?: OwnPath;
  /** Whether it answers this request. Transports are asked in the order in which the gateway was given them. */
  takes(request: IncomingMessage): boolean;
  /** Takes the arguments of a `request` event. Absent if it answers upgrades only. A promise that it returns may reject. */
  request?(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  /** Takes the arguments of an `upgrade` event. Absent if it answers none. A promise that it returns may reject. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void | Promise<void>;
  /** Ends all that is left without a word. */
  destroy(): void;
}

/**
 * How clients come in and get frames: handed to a gateway by value, `createGateway({ transports: [websocket(), sse()] })`.
 *
 * Guarantees of a transport: it asks {@link Kernel.admit} before anything that costs much; each socket has an error listener from its
 * first tick; its links keep nothing for later, see {@link Link}.
 */
export interface Transport {
  readonly name: TransportName;
  /** What a client does to come in by it: `connect by WebSocket`, `ask for text/event-stream`. Said to those who do neither. */
  readonly offer: string;
  /** Makes its part of a gateway; called once for each gateway. */
  entrance(kernel: Kernel): TransportEntrance | Promise<TransportEntrance>;
}
