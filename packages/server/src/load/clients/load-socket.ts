import type { Failure } from '../failure.js';

/** The options for opening a WebSocket. */
export interface SocketRequest {
  readonly url: URL;
  readonly subprotocol: string | undefined;
  readonly origin: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** How long the handshake may take. */
  readonly handshakeTimeoutMs: number;
}

export interface SocketEvents {
  opened(): void;
  /** @param bytes only valid until the call returns */
  frame(bytes: Buffer): void;
  /** The socket failed to open, or is closed. Reported once, and no other event follows. */
  ended(failure: Failure): void;
}

/** A WebSocket, from its handshake to its close. */
export interface LoadSocket {
  send(text: string): void;
  /** Starts the close handshake; `ended` follows when the other side has answered. */
  close(): void;
  /** Drops the connection; `ended` follows. */
  terminate(): void;
}
