import type { Connection } from './connection.js';

export interface BroadcastOptions {
  /** Who shall not get it, as a rule the one that it comes from. */
  readonly except?: Connection;
  /** The `name` under `pregon.v1`. @default 'message' */
  readonly name?: string;
  /** Only to the connections of this gateway: for what each gateway tells its own, as a subscriber does. @default false */
  readonly local?: boolean;
}

/** The connections of one route of this gateway. */
export interface Connections extends Iterable<Connection> {
  readonly count: number;

  /**
   * Sends an ephemeral message to all connections of this route, on all gateways of the log: text or bytes as they are, anything
   * else as JSON. It is encoded once. A connection that is full does not get it, nor do those of a gateway that does not read or cannot be
   * reached: at most once, and from one gateway in order. To many connections it is written over several turns of the event loop; while
   * more than 1,000 messages or 8 MiB wait for that, it is dropped.
   *
   * @returns how many connections of this gateway it was written to, or will be
   * @throws TypeError if JSON cannot hold the data; then nobody gets it
   * @example
   * gateway.connections('events').broadcast({ user: 42 }, { name: 'typing', except: connection });
   */
  broadcast(data: unknown, options?: BroadcastOptions): number;
}
