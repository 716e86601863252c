import { connect, type Socket } from 'node:net';

/** A kind of request that a client sends before it resets its connection (RST instead of FIN). */
interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const WEBSOCKET = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const FOREIGN = { ...WEBSOCKET, Origin: 'http://evil.example' };

/** Accepted and refused requests, on all transports. */
const ATTEMPTS: readonly Attempt[] = [
  get('/socket.io/?EIO=4&transport=websocket', FOREIGN),
  get('/socket.io/?EIO=4&transport=websocket&sid=nope', FOREIGN),
  get('/socket.io/?EIO=4&transport=websocket&sid=nope', WEBSOCKET),
  get('/socket.io/?EIO=3&transport=websocket', WEBSOCKET),
  get('/socket.io/?EIO=4&transport=nope', WEBSOCKET),
  get('/socket.io/?EIO=4&transport=websocket', WEBSOCKET),
  get('/events', FOREIGN),
  get('/events', WEBSOCKET),
  get('/events', { ...WEBSOCKET, 'Sec-WebSocket-Version': '7' }),
  get('/events?since=xx', WEBSOCKET),
  get('/chat/lobby', FOREIGN),
  get('/chat/lobby', WEBSOCKET),
  get('/nothing', WEBSOCKET),
  get('/nothing', { Connection: 'Upgrade', Upgrade: 'h2c' }),
  get('/events', { Connection: 'Upgrade', Upgrade: 'h2c', Accept: 'text/event-stream' }),
  get('/events', { Accept: 'text/event-stream' }),
  get('/socket.io/?EIO=4&transport=polling', {}),
  { method: 'CONNECT', path: 'example.com:443', headers: {} },
  { method: 'POST', path: '/socket.io/?EIO=4&transport=polling&sid=nope', headers: {}, body: '40' },
];

/** The moments at which the client resets the connection. */
const MOMENTS = ['at once', 'next turn', 'soon', 'mid-headers', 'answered', 'mid-frame'] as const;

function get(path: string, headers: Attempt['headers']): Attempt {
  return { method: 'GET', path, headers };
}

/**
 * Opens connections, some at a time, and resets each at one of the moments.
 *
 * @returns how many were reset
 */
export async function resetConnections(port: number, count: number, atOnce = 64): Promise<number> {
  let begun = 0;
  let reset = 0;
  const work = async () => {
    while (begun < count) {
      begun += 1;
      if (await resetOne(port, begun)) reset += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return reset;
}

/**
 * Resolves when the connection is gone.
 * @returns whether it was established
 */
function resetOne(port: number, index: number): Promise<boolean> {
  const attempt = ATTEMPTS[index % ATTEMPTS.length] ?? get('/', {});
  const moment = MOMENTS[Math.floor(index / ATTEMPTS.length) % MOMENTS.length] ?? 'at once';
  return new Promise((resolve) => {
    let isConnected = false;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.once('close', () => resolve(isConnected));
    socket.once('connect', () => {
      isConnected = true;
      resetAt(moment, socket, requestText(attempt));
    });
  });
}

function resetAt(moment: (typeof MOMENTS)[number], socket: Socket, request: string): void {
  const reset = () => socket.resetAndDestroy();
  // Some requests are never answered; these are reset too.
  const answered = (then: () => void) => {
    const late = setTimeout(reset, 100);
    socket.once('close', () => clearTimeout(late));
    socket.once('data', then);
  };
  socket.write(moment === 'mid-headers' ? request.slice(0, request.length / 2) : request);
  switch (moment) {
    case 'at once':
      return void reset();
    case 'next turn':
      return void setImmediate(reset);
    case 'answered':
      return answered(reset);
    case 'mid-frame':
      return answered(() =>
        socket.write(Buffer.from([0x81, 0xfe, 0x10, 0x00, 1, 2, 3, 4, 5]), () => setImmediate(reset)),
      );
    default:
      return void setTimeout(reset, Math.random() * 3);
  }
}

function requestText({ method, path, headers, body = '' }: Attempt): string {
  const complete = { Host: 'localhost', ...headers, ...(body === '' ? {} : { 'Content-Length': `${body.length}` }) };
  const lines = Object.entries(complete).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
