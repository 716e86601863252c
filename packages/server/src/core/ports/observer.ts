import type { LogPoint } from '@pregon/protocol';
import type { Connection } from '../connections/connection.js';

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
  /** A connection was opened. */
  opened?(connection: Connection): void;
  /** A connection was closed. Called once for each opened connection. */
  closed?(connection: Connection, end: ConnectionEnd): void;
  /** An error of a connection or a handler. */
  failed?(connection: Connection, error: Error): void;
  /** A client sent a message. @param name the name of the `send` frame; undefined if it has none */
  received?(connection: Connection, name: string | undefined): void;
  /** A client was refused. Called for every refusal, even if its log line is suppressed. */
  refused?(refusal: Refused): void;
  /**
   * An ephemeral message was not written to the connections of this gateway, because too many messages wait on the
   * route.
   */
  ephemeralDropped?(route: string): void;
  logChanged?(change: LogChange): void;
}
