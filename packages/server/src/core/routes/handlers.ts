import type { Connection } from '../connections/connection.js';

/**
 * The handlers of a route. Each may be asynchronous. An error that one throws goes to `error`, and affects no other
 * connection.
 */
export interface RouteHandlers {
  opened?(connection: Connection): unknown;
  closed?(connection: Connection, close: { code: number; reason: string }): unknown;
  /** Called with errors of this connection, and with errors of these handlers. */
  error?(connection: Connection, error: Error): unknown;
  /**
   * Called with a message of a client, unchanged; under `pregon.v1`, with the data of a `send` frame whose name is not
   * in `messages`.
   */
  message?(connection: Connection, data: unknown, info: { name: string | undefined }): unknown;
  /**
   * Handlers by the name of a `send` frame. The value that a handler returns or resolves to is the data of the `ack`.
   */
  messages?: Readonly<Record<string, (connection: Connection, data: unknown) => unknown>>;
}
