import type { LogPoint } from '@pregon/protocol';
import type { Connection } from '../connections/connection.js';

/** How a connection ended, and what is known of it then. */
export interface ConnectionEnd {
  /** See the close codes in docs/reference/protocol.md. */
  readonly code: number;
  readonly reason: string;
  /** How long it was open, in milliseconds. */
  readonly openMs: number;
  /** How many bytes the operating system took for it, the answer to its handshake included. */
  readonly bytes: number;
}

/** A client that was not admitted, or did not get what it asked for. */
export interface Refused {
  /** One stable word: `origin`, `route`. */
  readonly reason: string;
  /** The `Origin` header, if there was one. */
  readonly origin?: string | undefined;
  /** What the client asked for, such as a path. */
  readonly subject?: string | undefined;
  /** What happened. */
  readonly message: string;
  /** What the operator of the gateway can do about it. */
  readonly remedy?: string | undefined;
}

/** What became of the log that a gateway reads. */
export type LogChange =
  | { readonly state: 'unavailable'; readonly error: Error }
  | { readonly state: 'available' }
  /** Another log stands in its place, at `head`; all clients were told `reset`. */
  | { readonly state: 'replaced'; readonly head: LogPoint };

/**
 * Is told what happens in a gateway, at once and in order: `createGateway({ observers: [observer] })`. A method that is absent costs
 * nothing. What a method throws is logged once, and the observer is not asked again.
 *
 * It must not wait: it is called amid the work of the gateway.
 */
export interface Observer {
  /** A client has come in. */
  opened?(connection: Connection): void;
  /** A client is gone. Called once for each one that has come in. */
  closed?(connection: Connection, end: ConnectionEnd): void;
  /** Something went wrong with a connection, or in a handler. */
  failed?(connection: Connection, error: Error): void;
  /** A client sent something. @param name of a `send` frame, if it has one */
  received?(connection: Connection, name: string | undefined): void;
  /** A client was refused; each one, also if the log line about it is not written again. */
  refused?(refusal: Refused): void;
  /** An ephemeral message was not written to the connections of this gateway: too many wait on the route. */
  ephemeralDropped?(route: string): void;
  logChanged?(change: LogChange): void;
}
