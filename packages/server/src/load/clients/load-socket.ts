import type { Failure } from '../failure.js';

/** What a WebSocket is opened with. */
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
  /** It did not open, or is closed; told once, and nothing after it. */
  ended(failure: Failure): void;
}

/** One WebSocket, from its handshake to its end. */
export interface LoadSocket {
  send(text: string): void;
  /** Says goodbye; `ended` follows once the other side has answered. */
  close(): void;
  /** Breaks it off; `ended` follows. */
  terminate(): void;
}
