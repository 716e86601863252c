import type { CloseCode } from '@pregon/protocol';
import type { Identity } from '../ports/admission.js';

/** By what a client is connected: one of ours, or one that was added. */
export type TransportName = 'websocket' | 'pregon.v1' | 'sse' | 'socket.io' | (string & {});

/** Who connects, as the transport saw it. */
export interface ConnectionRequest {
  /** Path and query, as sent. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress: string;
}

/** What may be shown of a connection: not its request, whose headers hold secrets. */
export interface ShownConnection {
  readonly id: string;
  readonly route: string;
  readonly transport: TransportName;
  readonly remoteAddress: string;
}

/** One client, over any transport, as handlers see it. */
export interface Connection {
  /** Unlike that of any other connection of any gateway; no secret. */
  readonly id: string;
  /** The route's name. */
  readonly route: string;
  readonly transport: TransportName;
  readonly remoteAddress: string;
  readonly request: ConnectionRequest;
  /** Who the connection belongs to; undefined if no admission found out. */
  readonly identity: Identity | undefined;
  readonly isOpen: boolean;
  /** Where handlers keep what they know of this connection. */
  readonly notes: Map<string, unknown>;

  /**
   * Sends an ephemeral message: text or bytes as they are, anything else as JSON.
   *
   * @param options.name the `name` under `pregon.v1`. @default 'message'
   * @returns false if it was not written, because the connection is full or closed
   * @throws TypeError if JSON cannot hold the data
   * @example
   * connection.send({ typing: true }, { name: 'typing' });
   */
  send(data: unknown, options?: { name?: string }): boolean;

  /**
   * Ends the connection.
   *
   * @param code @default 1000
   * @param reason at most 123 bytes of UTF-8, cut there
   */
  close(code?: CloseCode, reason?: string): void;

  /** What may be logged of it. */
  toJSON(): ShownConnection;
}
