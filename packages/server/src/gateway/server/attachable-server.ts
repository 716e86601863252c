import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';

/**
 * A server of `node:http`, `node:https` or `node:http2`. By HTTP/2 come event streams and long polls; WebSocket comes by HTTP/1.1,
 * for which `createSecureServer` needs `allowHTTP1: true`.
 */
export type AttachableServer = Server | Http2Server | Http2SecureServer;

/** @throws TypeError: not everybody has types */
export function assertServer(server: unknown): asserts server is AttachableServer {
  if (server instanceof EventEmitter && 'listen' in server && 'close' in server) return;
  throw new TypeError(
    'a gateway is attached to a server of node:http, node:https or node:http2, such as app.listen() returns',
  );
}
