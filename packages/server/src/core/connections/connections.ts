import type { Connection } from './connection.js';

export interface BroadcastOptions {
  /** A connection that does not get the message: as a rule, the sender. */
  readonly except?: Connection;
  /** The `name` under `pregon.v1`. @default 'message' */
  readonly name?: string;
  /**
   * Whether only the connections of this gateway get the message. Use it in code that runs on every gateway, such as a
   * subscriber.
   *
   * @default false
   */
  readonly local?: boolean;
}

/** The connections of one route of this gateway. */
export interface Connections extends Iterable<Connection> {
  readonly count: number;

  /**
   * Sends an ephemeral message to all connections of this route, on all gateways of the log. Text and bytes are sent
   * unchanged, other data as JSON; the message is encoded once.
   *
   * Delivery is at most once. Messages of one gateway arrive in order. A full connection does not get the message, nor
   * do the connections of a gateway that does not read or cannot be reached. A message to many connections is written
   * over several event loop turns. It is dropped if more than 1,000 messages or 8 MiB already wait for that.
   *
   * @returns the number of connections of this gateway that it was or will be written to
   * @throws TypeError if JSON cannot represent the data; then no connection gets it
   * @example
   * gateway.connections('events').broadcast({ user: 42 }, { name: 'typing', except: connection });
   */
  broadcast(data: unknown, options?: BroadcastOptions): number;
}
