import type { Connection } from '../connections/connection.js';

/** What happens on a route. Each may be asynchronous; what it throws goes to `error`, never to another connection. */
export interface RouteHandlers {
  opened?(connection: Connection): unknown;
  closed?(connection: Connection, close: { code: number; reason: string }): unknown;
  /** What went wrong with this connection, or in one of these handlers. */
  error?(connection: Connection, error: Error): unknown;
  /** What a client sent, as it came; under `pregon.v1` the data of a `send` frame whose name has no entry in `messages`. */
  message?(connection: Connection, data: unknown, info: { name: string | undefined }): unknown;
  /** By the name of a `send` frame; what one returns or resolves to is the data of the `ack`. */
  messages?: Readonly<Record<string, (connection: Connection, data: unknown) => unknown>>;
}
