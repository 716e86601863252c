import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** The same as in the gateway. */
const HEARTBEAT_MS = 25_000;
const PATH = '/events';
const SUBPROTOCOL = 'pregon.v1';
const ORIGIN = /^http:\/\/127\.0\.0\.1(:\d+)?$/;

export interface WsServiceOptions {
  /** Called for each closed connection. */
  readonly closed: (fields: object) => void;
}

export interface WsService {
  readonly port: number;
  /** How many connections are open. */
  readonly count: number;
}

/**
 * A service on `ws` alone, built as its documentation shows. It checks path and origin, handles socket errors from the
 * start, detects broken connections by a heartbeat, and keeps its connections in a set. A client with a subprotocol
 * gets `welcome` and an answer to its subscription, which is stored by topic.
 */
export async function startWsService({ closed }: WsServiceOptions): Promise<WsService> {
  const http = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  });
  const alive = new WeakSet<WebSocket>();
  const byTopic = new Map<string, Set<WebSocket>>();

  http.on('upgrade', (request, socket, head) => {
    socket.on('error', report);
    const { pathname } = new URL(request.url ?? '/', 'ws://localhost');
    const { origin } = request.headers;
    if (pathname !== PATH) return refuse(socket, '404 Not Found');
    if (origin !== undefined && !ORIGIN.test(origin)) return refuse(socket, '403 Forbidden');
    socket.off('error', report);
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
  });

  sockets.on('connection', (client, request) => {
    const connection = randomUUID();
    const openedAt = Date.now();
    const remoteAddress = request.socket.remoteAddress;
    const topics = new Set<string>();
    alive.add(client);
    client.on('error', report);
    client.on('pong', () => alive.add(client));
    client.on('message', (data) => {
      const { id } = readSubscribe(String(data));
      topics.add('#');
      subscribersOf(byTopic, '#').add(client);
      client.send(JSON.stringify({ op: 'subscribed', id, position: '0', recovered: false }));
    });
    client.on('close', (code, reason) => {
      for (const topic of topics) byTopic.get(topic)?.delete(client);
      const openMs = Date.now() - openedAt;
      const route = 'events';
      closed({ connection, route, transport: 'websocket', remoteAddress, code, reason: reason.toString(), openMs });
    });
    if (client.protocol !== '') client.send(JSON.stringify({ op: 'welcome', connection, heartbeatMs: HEARTBEAT_MS }));
  });

  setInterval(() => {
    for (const client of sockets.clients) {
      if (!alive.delete(client)) client.terminate();
      else client.ping();
    }
  }, HEARTBEAT_MS).unref();

  await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => resolve()));
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    port,
    get count() {
      return sockets.clients.size;
    },
  };
}

function subscribersOf(byTopic: Map<string, Set<WebSocket>>, topic: string): Set<WebSocket> {
  const known = byTopic.get(topic);
  if (known) return known;
  const made = new Set<WebSocket>();
  byTopic.set(topic, made);
  return made;
}

/** @throws TypeError if the frame is not a subscription */
function readSubscribe(text: string): { id: number } {
  const frame: unknown = JSON.parse(text);
  if (typeof frame !== 'object' || frame === null || !('op' in frame) || frame.op !== 'subscribe') throw notSubscribe();
  if (!('id' in frame) || typeof frame.id !== 'number') throw notSubscribe();
  return { id: frame.id };
}

function notSubscribe(): TypeError {
  return new TypeError('only subscribe frames are accepted');
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
}

function report(error: Error): void {
  console.error(error);
}
