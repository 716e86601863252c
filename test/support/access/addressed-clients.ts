import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { SUBPROTOCOL } from '@pregon/protocol';
import { WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import type { TestGateway } from '../gateway/gateway.js';
import { within } from '../gateway/inbox.js';
import { SocketIoClient, type Transports } from '../gateway/socketio-client.js';

/** What a client learned when it connected. */
export interface Attempt {
  /** `open`, the status of a refusal, or a close code. */
  readonly outcome: 'open' | number;
  readonly retryAfter?: string | undefined;
  /** Ends the connection, as a client does that leaves. */
  close(): void;
}

export interface ConnectOptions {
  /** The address that the trusted proxy reports, which is the test itself. */
  readonly address: string;
  readonly token?: string;
  /** @default '/events' */
  readonly path?: string;
}

type Connect = (gateway: Pick<TestGateway, 'ws' | 'http'>, options: ConnectOptions) => Promise<Attempt>;

/** A client of each transport. */
export const ADDRESSED_CLIENTS: Readonly<Record<string, Connect>> = {
  'plain WebSocket': ({ ws }, options) => webSocket(ws(pathOf(options)), [], options),
  'pregon.v1': ({ ws }, options) => webSocket(ws(pathOf(options)), [SUBPROTOCOL], options),
  'an event stream': async ({ http }, options) => {
    const request = get(http(pathOf(options)), {
      agent: false,
      headers: { Accept: 'text/event-stream', ...headersOf(options) },
    });
    afterTest(() => void request.destroy());
    request.on('error', () => {});
    const [response]: IncomingMessage[] = await within(once(request, 'response'), 'a response');
    response?.on('error', () => {}).resume();
    const close = () => void request.destroy();
    if (response?.statusCode === 200) return { outcome: 'open', close };
    return { outcome: response?.statusCode ?? 0, retryAfter: response?.headers['retry-after'], close };
  },
  'Socket.IO by WebSocket': (gateway, options) => socketIo(gateway, ['websocket'], options),
  'Socket.IO by long polling': (gateway, options) => socketIo(gateway, ['polling'], options),
};

/** A client of one of the transports. */
export function connectAs(transport: string, ...args: Parameters<Connect>): Promise<Attempt> {
  const connect = ADDRESSED_CLIENTS[transport];
  if (!connect) throw new Error(`there is no transport ${transport}`);
  return connect(...args);
}

export function headersOf({ address, token }: ConnectOptions): Record<string, string> {
  return { 'X-Forwarded-For': address, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
}

function pathOf({ path = '/events' }: ConnectOptions): string {
  return path;
}

function webSocket(url: string, protocols: string[], options: ConnectOptions): Promise<Attempt> {
  const socket = new WebSocket(url, protocols, { headers: headersOf(options) });
  afterTest(() => socket.terminate());
  const close = () => socket.terminate();
  const done = new Promise<Attempt>((resolve) => {
    socket.on('error', () => {});
    socket.on('unexpected-response', (_, { statusCode = 0, headers }) => {
      resolve({ outcome: statusCode, retryAfter: headers['retry-after'], close });
    });
    socket.on('close', (code) => resolve({ outcome: code, close }));
    // A refusal by close code follows the handshake at once; a connection of pregon.v1 begins with `welcome`.
    if (protocols.length > 0) socket.once('message', () => resolve({ outcome: 'open', close }));
    else socket.once('open', () => resolve({ outcome: 'open', close }));
  });
  return within(done, 'a handshake');
}

function socketIo(
  { http }: Pick<TestGateway, 'http'>,
  transports: Transports,
  { token, ...options }: ConnectOptions,
): Promise<Attempt> {
  const client = new SocketIoClient(http(pathOf(options)), {
    transports: [...transports],
    extraHeaders: headersOf(options),
    auth: token === undefined ? {} : { token },
    reconnection: false,
  });
  const close = () => void client.socket.disconnect();
  const done = new Promise<Attempt>((resolve) => {
    client.socket.on('connect', () => resolve({ outcome: 'open', close }));
    client.socket.on('connect_error', (error) => {
      // The refusal of a namespace has data; that of a session has the status of a request, or of an upgrade.
      const data: unknown = Reflect.get(error, 'data');
      const status: unknown = Reflect.get(Object(data), 'status') ?? statusIn(error);
      resolve({ outcome: typeof status === 'number' ? status : 0, close });
    });
  });
  return within(done, 'Socket.IO to connect');
}

/** Long polling has the status in `description`, `ws` in the message of the error below it. */
function statusIn(error: object): number {
  const description: unknown = Reflect.get(error, 'description');
  if (typeof description === 'number') return description;
  const message = String(Reflect.get(Object(description), 'message') ?? '');
  return Number(/Unexpected server response: (\d+)/.exec(message)?.[1] ?? 0);
}
