import type { ConnectionRequest } from '../../core/connections/connection.js';
import type { Identity } from '../../core/ports/admission.js';

/** The HTTP request with which a connection began. */
export interface ComponentRequest extends ConnectionRequest {
  /** The path without the query. */
  readonly path: string;
  /** The parameters of the path: for a component at `/chat/:room`, the path `/chat/a%20b` has `room: 'a b'`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A client as a component sees it. */
export interface ComponentConnection {
  /** Unique among all connections of all servers. */
  readonly id: string;
  /** The address of the peer of the socket; behind a proxy, the address of the proxy. */
  readonly remoteAddress: string;
  readonly request: ComponentRequest;
  /** The client's identity; undefined if no admission returned one. */
  readonly identity: Identity | undefined;
  /** The negotiated subprotocol; undefined if there is none. */
  readonly subprotocol: string | undefined;
  readonly isOpen: boolean;
  /**
   * Sends a message: text or bytes unchanged, anything else as JSON.
   *
   * If more than `maxBufferedBytes` already wait for the client, this call closes the connection instead (4002).
   *
   * @returns false if nothing was sent, because the connection is closed or was closed by this call, or because the
   *   client's identity has expired; the connection is then closed soon (4005)
   * @throws TypeError if the data cannot be represented as JSON
   */
  send(data: unknown): boolean;
  /**
   * Closes the connection; earlier messages still arrive. Does nothing if it is already closed.
   *
   * @param code a close code that RFC 6455 section 7.4 lets a server send: 1000, 3000 to 4999, … Default: 1000
   * @param reason truncated to 123 bytes of UTF-8. Default: ''
   * @throws RangeError if a server may not send the code
   */
  close(code?: number, reason?: string): void;
}
