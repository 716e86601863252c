import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';

/**
 * A server of `node:http`, `node:https` or `node:http2`. HTTP/2 carries event streams and long polling. WebSocket needs
 * HTTP/1.1, for which `createSecureServer` needs `allowHTTP1: true`.
 */
export type AttachableServer = Server | Http2Server | Http2SecureServer;

/** @throws TypeError if the value is not such a server, which types do not prevent in JavaScript */
export function assertServer(server: unknown): asserts server is AttachableServer {
  if (server instanceof EventEmitter && 'listen' in server && 'close' in server) return;
  throw new TypeError(
    'a gateway is attached to a server of node:http, node:https or node:http2, such as app.listen() returns',
  );
}
