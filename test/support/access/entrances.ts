import { RawSocket } from '../gateway/raw-socket.js';

/** One entrance of a gateway, as a client without a library asks for it. */
export interface TestedEntrance {
  /** The file of `packages/server/src` that takes the client. */
  readonly source: string;
  readonly path: string;
  readonly isUpgrade: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export const CHAT = '/chat/:room';

const STREAM = { Accept: 'text/event-stream' };
const websocket = { source: 'transports/websocket/websocket-transport.ts', path: '/events', isUpgrade: true };
const socketIo = { source: 'transports/socketio/lazy-socketio.ts' };
const component = { source: 'transports/component/component-entrance.ts', path: '/chat/1' };

/** Each entrance of a gateway with the route `/events` and a component at {@link CHAT}. */
export const ENTRANCES: Readonly<Record<string, TestedEntrance>> = {
  'plain WebSocket': websocket,
  'pregon.v1': { ...websocket, headers: { 'Sec-WebSocket-Protocol': 'pregon.v1' } },
  'an event stream': {
    source: 'transports/sse/sse-transport.ts',
    path: '/events',
    isUpgrade: false,
    headers: STREAM,
  },
  'a request that no transport takes': {
    source: 'gateway/entrances/route-entrance.ts',
    path: '/events',
    isUpgrade: false,
  },
  'Socket.IO by WebSocket': { ...socketIo, path: '/socket.io/?EIO=4&transport=websocket', isUpgrade: true },
  'Socket.IO by long polling': { ...socketIo, path: '/socket.io/?EIO=4&transport=polling', isUpgrade: false },
  'a component': { ...component, isUpgrade: true },
  'a request for a component': { ...component, isUpgrade: false },
};

/** What a client without a library is told: the status, and the code and reason of a close frame after a handshake. */
export interface Outcome {
  readonly status: number;
  readonly head: string;
  readonly close?: { readonly code: number; readonly reason: string };
}

/** Asks for an entrance with additional headers. */
export async function askAt(
  port: number,
  { path, isUpgrade, headers: own = {} }: TestedEntrance,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const raw = await RawSocket.open(port);
  const all: Record<string, string> = { Host: 'localhost', ...own, ...headers };
  if (!isUpgrade) raw.request(path, all);
  const head = isUpgrade ? await raw.upgrade(path, all) : await raw.head();
  const status = Number(head.slice(9, 12));
  const isRefusedLater = status === 101 && (all['Sec-WebSocket-Protocol'] ?? all['Origin']) !== undefined;
  const close = isRefusedLater ? await closeOf(raw) : undefined;
  raw.socket.destroy();
  return { status, head, ...(close ? { close } : {}) };
}

/** An admitted client of `pregon.v1` gets a text frame first, and a refused one a close frame. */
async function closeOf(raw: RawSocket): Promise<Outcome['close']> {
  const { opcode, payload } = await raw.frame();
  return opcode === 0x8 ? { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) } : undefined;
}
