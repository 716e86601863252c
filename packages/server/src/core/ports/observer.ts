import type { LogPoint, PregonError } from '@pregon/protocol';
import type { Connection, TransportName } from '../connections/connection.js';
import type { CounterSource } from '../counters/counters.js';
import type { EventChunk } from './delivery.js';

/** How a connection ended, and its totals. */
export interface ConnectionEnd {
  /** See the close codes in docs/reference/protocol.md. */
  readonly code: number;
  readonly reason: string;
  /** How long it was open, in milliseconds. */
  readonly openMs: number;
  /** Bytes that the operating system took for this connection, the handshake response included. */
  readonly bytes: number;
}

/** A refused handshake or request. */
export interface Refused {
  /** A stable word for the reason: `origin`, `route`. */
  readonly reason: string;
  /** The `Origin` header, if there was one. */
  readonly origin?: string | undefined;
  /** What the client requested, such as a path. */
  readonly subject?: string | undefined;
  /** What happened. */
  readonly message: string;
  /** What the operator of the gateway can do about it. */
  readonly remedy?: string | undefined;
}

/**
 * One flush to all subscriptions at the head of the log with the same filter, on one route and transport.
 */
export interface Delivery {
  readonly route: string;
  readonly transport: TransportName;
  /** The events that were written. There are several chunks only if the events of a flush exceed 64 KiB. */
  readonly chunks: readonly EventChunk[];
  /** The number of deliveries; one delivery is one event written to one subscription. */
  readonly deliveries: number;
}

/** A change in the state of the log that a gateway reads. */
export type LogChange =
  | { readonly state: 'unavailable'; readonly error: Error }
  | { readonly state: 'available' }
  /** Another log has replaced it, with this head; all subscriptions get a `reset`. */
  | { readonly state: 'replaced'; readonly head: LogPoint };

/**
 * An observer of a gateway: `createGateway({ observers: [observer] })`. The gateway calls its methods when something
 * happens, at once and in order. An absent method costs nothing. If a method throws, the error is logged and the
 * observer is not called again.
 *
 * A method must return quickly: it is called in the middle of the gateway's work.
 */
export interface Observer {
  /**
   * The gateway was created and is about to admit clients. Called once. `counters` can be read at any time. If no
   * observer has this method or `delivered`, the gateway counts no deliveries.
   */
  started?(counters: CounterSource): void;
  /** A connection was opened. */
  opened?(connection: Connection): void;
  /** A connection was closed. Called once for each opened connection. */
  closed?(connection: Connection, end: ConnectionEnd): void;
  /** An error of a connection or a handler. */
  failed?(connection: Connection, error: Error): void;
  /** A client sent a message. @param name the name of the `send` frame; undefined if it has none */
  received?(connection: Connection, name: string | undefined): void;
  /**
   * A subscription was refused: the request is invalid, exceeds a limit, is not allowed, or asks for a missing
   * snapshot.
   */
  subscribeRefused?(connection: Connection, error: PregonError): void;
  /**
   * A flush wrote events to subscriptions at the head of the log. There is one call for all subscriptions with the same
   * filter on one route and transport. Deliveries to subscriptions that are behind are not reported here; `counters`
   * include them.
   */
  delivered?(delivery: Delivery): void;
  /** A client was refused. Called for every refusal, even if its log line is suppressed. */
  refused?(refusal: Refused): void;
  /**
   * An ephemeral message was not written to the connections of this gateway, because too many messages wait on the
   * route.
   */
  ephemeralDropped?(route: string): void;
  logChanged?(change: LogChange): void;
}
