import type { CloseCode } from '@pregon/protocol';
import type { AdmissionRequest, Identity } from '../ports/admission.js';

/** The transport of a connection: a built-in one, or an added one. */
export type TransportName = 'websocket' | 'pregon.v1' | 'sse' | 'socket.io' | (string & {});

/** The HTTP request with which a client connected. */
export interface ConnectionRequest {
  /** Path and query, as sent; with `auth`, without a ticket. */
  readonly url: string;
  /** Header names are in lower case. */
  readonly headers: AdmissionRequest['headers'];
  readonly remoteAddress: string;
}

/** The part of a connection that may be logged. The request is left out, because its headers contain secrets. */
export interface ShownConnection {
  readonly id: string;
  readonly route: string;
  readonly transport: TransportName;
  readonly remoteAddress: string;
}

/** The connection of one client, over any transport, as handlers see it. */
export interface Connection {
  /** Unique among the connections of all gateways. Not a secret. */
  readonly id: string;
  /** The name of the route. */
  readonly route: string;
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly request: ConnectionRequest;
  /**
   * Who the connection belongs to; undefined if no admission found out. A client of `pregon.v1` can sign in and out while
   * the connection is open.
   */
  readonly identity: Identity | undefined;
  readonly isOpen: boolean;
  /** A place where handlers can keep data about this connection. */
  readonly notes: Map<string, unknown>;

  /**
   * Sends an ephemeral message. Text and bytes are sent unchanged, other data as JSON.
   *
   * @param options.name the `name` under `pregon.v1`. @default 'message'
   * @returns false if the message was not written, because the connection is full or closed
   * @throws TypeError if JSON cannot represent the data
   * @example
   * connection.send({ typing: true }, { name: 'typing' });
   */
  send(data: unknown, options?: { name?: string }): boolean;

  /**
   * Closes the connection.
   *
   * @param code the close code. @default 1000
   * @param reason cut after 123 bytes of UTF-8. @default the reason of the code
   */
  close(code?: CloseCode, reason?: string): void;

  /** The part that may be logged. */
  toJSON(): ShownConnection;
}
