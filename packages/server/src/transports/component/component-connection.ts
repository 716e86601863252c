import type { ConnectionRequest } from '../../core/connections/connection.js';
import type { Identity } from '../../core/ports/admission.js';

/** The HTTP request that a connection began with. */
export interface ComponentRequest extends ConnectionRequest {
  /** Without the query. */
  readonly path: string;
  /** Of the path that the component is mounted on: at `/chat/:room`, `/chat/a%20b` has `room: 'a b'`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A client, as a component sees it. */
export interface ComponentConnection {
  /** No two connections share it, on no server. */
  readonly id: string;
  /** Who is at the other end of the socket; behind a proxy, the proxy. */
  readonly remoteAddress: string;
  readonly request: ComponentRequest;
  /** Who the connection belongs to; undefined if no admission found out. */
  readonly identity: Identity | undefined;
  /** The subprotocol that was agreed on; undefined where there is none. */
  readonly subprotocol: string | undefined;
  readonly isOpen: boolean;
  /**
   * Sends a message: text or bytes as they are, anything else as JSON.
   *
   * A client that has let more than `maxBufferedBytes` wait is closed by this call (4002), and gets nothing more.
   *
   * @returns false where nothing was sent, since the connection is closed, or was closed by this call
   * @throws TypeError where JSON cannot hold it
   */
  send(data: unknown): boolean;
  /**
   * Ends the connection; what was sent before still arrives. Does nothing where it is closed.
   *
   * @param code one that RFC 6455 section 7.4 lets a server send: 1000, 3000 to 4999, … @default 1000
   * @param reason at most 123 bytes of UTF-8, cut there. @default ''
   * @throws RangeError where it is no such code
   */
  close(code?: number, reason?: string): void;
}
