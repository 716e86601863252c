import type { Connection } from '../connections/connection.js';
import type { Member } from '../connections/member.js';

/**
 * Sees what happens on a route, before the handlers do. It is called at once and answers nothing. It must not throw: unlike a handler, it is part
 * of the gateway.
 */
export interface RouteObserver {
  opened(connection: Member): void;
  closed(connection: Member, close: { code: number; reason: string }): void;
  /** What went wrong with this connection, or in a handler. */
  error(connection: Connection, error: Error): void;
  /** A client sent something. @param name of a `send` frame, if it has one */
  message(connection: Connection, name: string | undefined): void;
}
