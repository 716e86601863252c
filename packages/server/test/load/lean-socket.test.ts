import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { freePort } from '../../../../test/support/ports.js';
import { LeanSocket } from '../../src/load/clients/lean-socket.js';

const closing: (() => unknown)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server of `ws`, with which a lean socket must interoperate. */
async function startServer(options: { protocol?: string } = {}) {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => options.protocol ?? false,
  });
  closing.push(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const accepted = once(server, 'connection').then(([socket]): WebSocket => socket);
  return { port: typeof address === 'object' && address ? address.port : 0, accepted };
}

/** A server that answers everything with these bytes, and closes. */
async function startAnswering(answer: string): Promise<number> {
  const server: Server = createServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.end(answer));
  }).listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function open(port: number, subprotocol?: string) {
  const heard: string[] = [];
  let opened = () => {};
  let ended: (reason: string) => void = () => {};
  const whenOpen = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const whenEnded = new Promise<string>((resolve) => {
    ended = resolve;
  });
  const url = new URL(`ws://127.0.0.1:${port}/events?topics=a`);
  const socket = new LeanSocket(
    { url, subprotocol, origin: 'http://localhost', headers: { 'x-name': 'value' }, handshakeTimeoutMs: 10_000 },
    { opened, frame: (bytes) => heard.push(bytes.toString()), ended: ({ reason }) => ended(reason) },
  );
  closing.push(() => socket.terminate());
  return { socket, heard, whenOpen, whenEnded };
}

describe('LeanSocket', () => {
  it('exchanges messages with a server of ws, answers pings, and closes with a handshake', async () => {
    const server = await startServer({ protocol: 'pregon.v1' });
    const { socket, heard, whenOpen, whenEnded } = open(server.port, 'pregon.v1');
    const [other] = await Promise.all([server.accepted, whenOpen]);
    const said = once(other, 'message');
    socket.send(`${'x'.repeat(70_000)}ü`);
    expect(String((await said)[0])).toBe(`${'x'.repeat(70_000)}ü`);
    other.send('{"a":1}');
    other.send('y'.repeat(200_000));
    other.send('fragment ', { fin: false });
    other.send('joined', { fin: true });
    const pong = once(other, 'pong');
    other.ping('still there?');
    expect(String((await pong)[0])).toBe('still there?');
    expect(heard).toEqual(['{"a":1}', 'y'.repeat(200_000), 'fragment joined']);
    const goodbye = once(other, 'close');
    socket.close();
    expect((await goodbye)[0]).toBe(1000);
    expect(await whenEnded).toBe('closed with 1000');
  });

  it('reports the code and reason with which the server closed', async () => {
    const server = await startServer();
    const { whenOpen, whenEnded } = open(server.port);
    const [other] = await Promise.all([server.accepted, whenOpen]);
    other.close(4000, 'the gateway is going away');
    expect(await whenEnded).toBe('closed with 4000: the gateway is going away');
  });

  it('reports that the server broke the connection', async () => {
    const server = await startServer();
    const { whenOpen, whenEnded } = open(server.port);
    const [other] = await Promise.all([server.accepted, whenOpen]);
    other.terminate();
    expect(await whenEnded).toBe('closed with 1006: without a close frame');
  });

  it.each([
    ['HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n', '503 Service Unavailable'],
    [
      'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n',
      'the server does not answer with a WebSocket handshake',
    ],
    ['220 mail.example ESMTP\r\n\r\n', 'the server does not answer with HTTP'],
    ['x'.repeat(20_000), 'the server does not answer with HTTP'],
    ['', 'closed with 1006: without a close frame'],
  ])('reports what is wrong with the answer %j', async (answer, reason) => {
    expect(await open(await startAnswering(answer)).whenEnded).toBe(reason);
  });

  it('refuses a server that does not support the subprotocol', async () => {
    const server = await startServer();
    expect(await open(server.port, 'pregon.v1').whenEnded).toBe('subprotocol not supported');
  });

  it('reports that no server listens', async () => {
    expect(await open(await freePort()).whenEnded).toBe('connection refused');
  });
});

it('a lean socket sends the user name and the password of the URL, as a proxy before the gateway requires', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  closing.push(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const connected = once(server, 'connection');
  const url = new URL(`ws://me:p%40ss@127.0.0.1:${port}/`);
  const request = { url, subprotocol: undefined, origin: undefined, headers: undefined, handshakeTimeoutMs: 10_000 };
  const socket = new LeanSocket(request, { opened() {}, frame() {}, ended() {} });
  closing.push(() => socket.terminate());
  const [, { headers }] = await connected;
  expect(headers.authorization).toBe(`Basic ${btoa('me:p@ss')}`);
});
