/** The fields that the client reads from the kinds of WebSocket events. */
export interface WebSocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** The part of the WebSocket interface that the client uses; browsers, Node.js 22 and the `ws` package provide it. */
export interface WebSocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: WebSocketEvent) => void): void;
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike;

/** @throws TypeError if the platform has no WebSocket and none was given */
export function findWebSocket(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = given ?? globalThis.WebSocket;
  if (typeof found === 'function') return found;
  throw new TypeError(
    "this platform has no WebSocket: import { WebSocket } from 'ws' and pass { WebSocket } to createClient",
  );
}
