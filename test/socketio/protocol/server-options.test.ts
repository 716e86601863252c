import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { SocketIoOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { numbers, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { EngineSocket, PollingClient, parseOpen } from '../../support/socketio/engine-client.js';

const CERT = fileURLToPath(new URL('../../support/tls/cert.pem', import.meta.url));
const KEY = fileURLToPath(new URL('../../support/tls/key.pem', import.meta.url));

const HANDSHAKE = '/socket.io/?EIO=4&transport=polling';

/** Expects that events of the log and messages arrive, as with any options. */
async function expectService({ gateway, http, append }: TestGateway, options: object = {}): Promise<SocketIoClient> {
  const client = await SocketIoClient.open(http('/events'), { ...options, auth: { names: 'event' } });
  await client.count('subscribed', 1);
  await append(50, { padding: 2_000 });
  gateway.io.of('/events').emit('message', { large: 'x'.repeat(5_000) });
  await append(50);
  await client.count('event', 100);
  await client.count('message', 1);
  expect(client.numbers()).toEqual(numbers(1, 100));
  return client;
}

function start(socketIo: SocketIoOptions, more: { allowedOrigins?: string[] } = {}): Promise<TestGateway> {
  return startGateway({ socketIo, ...more });
}

async function refused(url: string, options: object): Promise<Error & { description?: unknown; context?: unknown }> {
  const client = new SocketIoClient(url, { reconnection: false, ...options });
  return within(new Promise((resolve) => client.socket.once('connect_error', resolve)), 'a refusal');
}

describe('An option of Socket.IO’s server', () => {
  it('path: Socket.IO is served under this path only', async () => {
    const gateway = await start({ path: '/live/io/' });
    await expectService(gateway, { path: '/live/io' });
    expect((await fetch(gateway.http('/live/io/socket.io.js'))).status).toBe(200);
    expect((await fetch(gateway.http(HANDSHAKE))).status).toBe(404);
  });

  it('addTrailingSlash: with false, the path has no slash at its end', async () => {
    const gateway = await start({ addTrailingSlash: false });
    await expectService(gateway, { addTrailingSlash: false });
    expect((await fetch(gateway.http('/socket.iox'))).status).toBe(404);
  });

  it('[001-16] serveClient: the script is served with its map and as a module, and can be turned off', async () => {
    const served = await startGateway();
    const script = await fetch(served.http('/socket.io/socket.io.js'));
    expect([script.status, script.headers.get('content-type')]).toEqual([200, 'application/javascript; charset=utf-8']);
    expect(await script.text()).toContain('Socket.IO v4');
    const etag = script.headers.get('etag') ?? '';
    const again = await fetch(served.http('/socket.io/socket.io.js'), { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    for (const name of ['socket.io.min.js', 'socket.io.esm.min.js', 'socket.io.min.js.map']) {
      expect((await fetch(served.http(`/socket.io/${name}`))).status).toBe(200);
    }
    const bare = await start({ serveClient: false });
    expect((await fetch(bare.http('/socket.io/socket.io.js'))).status).toBe(400);
    await expectService(bare);
  });

  it('pingInterval and pingTimeout: apply if given, or else heartbeatMs', async () => {
    const opened = async ({ http }: TestGateway) => parseOpen(await (await fetch(http(HANDSHAKE))).text());
    const told = await opened(await start({ pingInterval: 1_234, pingTimeout: 4_321 }));
    expect(told).toMatchObject({ pingInterval: 1_234, pingTimeout: 4_321 });
    const quick = await opened(await startGateway({ heartbeatMs: 7_000 }));
    expect(quick).toMatchObject({ pingInterval: 7_000, pingTimeout: 7_000 });
    expect(await opened(await startGateway())).toMatchObject({ pingInterval: 25_000, pingTimeout: 20_000 });
  });

  it('[001-11] transports: without WebSocket no client upgrades, and a client that tries is refused', async () => {
    const gateway = await start({ transports: ['polling'] });
    const client = await expectService(gateway);
    expect(client.socket.io.engine.transport.name).toBe('polling');
    const raw = await RawSocket.open(gateway.port);
    expect(await raw.upgrade('/socket.io/?EIO=4&transport=websocket')).toMatch(/^HTTP\/1.1 400 /);
    const alone = await start({ transports: ['websocket'] });
    await expectService(alone, { transports: ['websocket'] });
    expect((await fetch(alone.http(HANDSHAKE))).status).toBe(400);
  });

  it('[I-9] allowRequest: has the last word', async () => {
    const gateway = await start({
      allowRequest: ({ headers }, answer) =>
        answer(headers['x-key'] === 'good' ? null : 'no key', headers['x-key'] === 'good'),
    });
    expect((await fetch(gateway.http(HANDSHAKE))).status).toBe(403);
    const error = await refused(gateway.http('/events'), { transports: ['websocket'] });
    expect(error.message).toBe('websocket error');
    await expectService(gateway, { extraHeaders: { 'x-key': 'good' } });
  });

  it('[I-7] maxHttpBufferSize: applies if given, or else maxFrameBytes', async () => {
    for (const gateway of [await start({ maxHttpBufferSize: 2_000 }), await startGateway({ maxFrameBytes: 2_000 })]) {
      const origin = gateway.http('');
      const poller = await PollingClient.open(origin);
      expect(poller.opened.maxPayload).toBe(2_000);
      expect((await poller.push(`4${'x'.repeat(2_000)}`)).status).toBe(413);
      const socket = await EngineSocket.enter(origin);
      socket.send(`42["x","${'x'.repeat(2_000)}"]`);
      expect(await socket.whenClosed()).toBe(1009);
    }
  });

  it('perMessageDeflate: messages are compressed, events are not, and both stay intact', async () => {
    const gateway = await start({ perMessageDeflate: { threshold: 10 } });
    const client = await SocketIoClient.open(gateway.http('/events'), {
      transports: ['websocket'],
      auth: { names: 'event' },
    });
    await client.count('subscribed', 1);
    const [socket] = [...gateway.gateway.io.of('/events').sockets.values()];
    const sent = (): number =>
      Number(Reflect.get(Reflect.get(Object(socket?.conn.transport), 'socket')._socket, 'bytesWritten'));
    const before = sent();
    for (let n = 1; n <= 200; n++) {
      gateway.gateway.io.of('/events').emit('message', n, 'x'.repeat(10_000), 0);
      if (n % 10 === 0) await gateway.append(50);
    }
    await client.count('message', 200);
    await client.count('event', 1_000);
    expect(client.of('message').map(([n]) => n)).toEqual(numbers(1, 200));
    expect(client.numbers()).toEqual(numbers(1, 1_000));
    expect(sent() - before).toBeLessThan(1_000_000);
  });

  it('[002-02] TLS: changes nothing, by WebSocket or by polling', async () => {
    const gateway = await startGateway({ listen: { cert: readFileSync(CERT), key: readFileSync(KEY) } });
    for (const transports of [['websocket'], ['polling']]) {
      const client = await SocketIoClient.open(gateway.http('/events'), { transports, rejectUnauthorized: false });
      await client.count('subscribed', 1);
      await gateway.append(50, { padding: 20_000 });
      gateway.gateway.io.of('/events').emit('message', Buffer.alloc(100_000));
      await client.count('event', 50);
      await client.count('message', 1);
      const [first] = client.numbers();
      expect(client.numbers()).toEqual(numbers(first ?? 0, (first ?? 0) + 49));
      client.socket.disconnect();
    }
  });

  it('cookie, initial headers and httpCompression: apply as without routes', async () => {
    const gateway = await start({ cookie: { name: 'lb', path: '/x' }, httpCompression: { threshold: 100 } });
    const answer = await fetch(gateway.http(HANDSHAKE));
    expect(answer.headers.get('set-cookie')).toMatch(/^lb=[\w-]+; Path=\/x/);
    await expectService(gateway, { transports: ['polling'], extraHeaders: { 'accept-encoding': 'identity' } });
  });

  it('false: turns Socket.IO off', async () => {
    const { gateway, http } = await startGateway({ socketIo: false });
    expect((await fetch(http(HANDSHAKE))).status).toBe(404);
    expect(() => gateway.io).toThrow('socketIo: false');
  });
});

describe('[I-9][001-08] Pages of other origins', () => {
  const status = async ({ http }: TestGateway, origin: string, init: RequestInit = {}) =>
    fetch(http(HANDSHAKE), { ...init, headers: { origin, ...init.headers } });

  it('that are not allowed are refused, whatever cors says, on each transport and with each request', async () => {
    for (const gateway of [await startGateway(), await start({ cors: { origin: 'https://evil.example' } })]) {
      const answer = await status(gateway, 'https://evil.example');
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect((await status(gateway, 'https://evil.example', { method: 'OPTIONS' })).status).toBe(403);
      const raw = await RawSocket.open(gateway.port);
      const head = await raw.upgrade('/socket.io/?EIO=4&transport=websocket', { Origin: 'https://evil.example' });
      expect(head).toMatch(/^HTTP\/1.1 403 /);
      const { opened } = await PollingClient.open(gateway.http(''));
      const taken = await fetch(`${gateway.http(HANDSHAKE)}&sid=${opened.sid}`, {
        method: 'POST',
        body: '40',
        headers: { origin: 'https://evil.example' },
      });
      expect(taken.status).toBe(403);
    }
  });

  it('that are allowed get the headers that let them read the answer, with credentials', async () => {
    const gateway = await startGateway({ allowedOrigins: ['https://shop.example'] });
    const answer = await status(gateway, 'https://shop.example');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    const preflight = await status(gateway, 'https://shop.example', {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect((await status(gateway, 'http://localhost:5001')).status).toBe(403);
    await expectService(gateway, { extraHeaders: { origin: 'https://shop.example' } });
  });

  it('that are allowed get the headers that cors specifies', async () => {
    const gateway = await start(
      { cors: { origin: 'https://shop.example', allowedHeaders: ['x-own'], credentials: false } },
      { allowedOrigins: ['https://shop.example'] },
    );
    const preflight = await status(gateway, 'https://shop.example', { method: 'OPTIONS' });
    expect(preflight.headers.get('access-control-allow-headers')).toBe('x-own');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('A gateway under a host name that no allowed origin has', () => {
  const HOST = 'live.shop.example';
  const browser = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };

  const begin = () => startGateway({ access: 'public', allowedOrigins: ['https://shop.example'] });

  async function statusOf(
    port: number,
    path: string,
    headers: Record<string, string>,
    method = 'GET',
  ): Promise<string> {
    const raw = await RawSocket.open(port);
    raw.request(path, { Host: HOST, ...headers }, method);
    const head = await raw.head();
    raw.socket.destroy();
    return head.slice(9, 12);
  }

  it('[fault D4] admits programs that poll, including the stock client with its own transports', async () => {
    const { port, http } = await begin();
    expect(await statusOf(port, HANDSHAKE, {})).toBe('200');
    for (const transports of [['polling'], ['polling', 'websocket']]) {
      const client = await SocketIoClient.open(http('/events'), { transports, extraHeaders: { host: HOST } });
      await client.count('subscribed', 1);
    }
  });

  it('[fault D4] serves the client script to everybody, but nothing else along with it', async () => {
    const { port } = await begin();
    const foreign = { Origin: 'https://evil.example' };
    for (const headers of [{}, browser, foreign]) {
      for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js.map', 'socket.io.js?v=1'])
        expect(await statusOf(port, `/socket.io/${name}`, headers), name).toBe('200');
    }
    for (const headers of [browser, foreign]) {
      expect(await statusOf(port, HANDSHAKE, headers)).toBe('403');
      expect(await statusOf(port, `${HANDSHAKE}&x=/socket.io.js`, headers)).toBe('403');
      expect(await statusOf(port, '/socket.io/socket.io.js/?EIO=4&transport=polling', headers)).toBe('403');
    }
  });

  it('[fault D4] opens no connection under the name of a script that is not served', async () => {
    const { port } = await startGateway({ access: 'public', socketIo: { serveClient: false } });
    expect(await statusOf(port, '/socket.io/socket.io.js?EIO=4&transport=polling', browser)).toBe('403');
  });
});

describe('[001-14] A server of the application with the gateway’s Socket.IO', () => {
  it('keeps its other paths', async () => {
    const server = createServer((_request, response) => response.end('mine'));
    const { gateway } = await startGateway();
    gateway.attach(server);
    server.listen(0, '127.0.0.1');
    await within(new Promise((resolve) => server.once('listening', resolve)), 'a port');
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    expect(await (await fetch(`${origin}/socket.io`)).text()).toBe('mine');
    expect(await (await fetch(`${origin}/socket.iox`)).text()).toBe('mine');
    const client = await SocketIoClient.open(`${origin}/events`);
    await client.count('subscribed', 1);
    client.socket.disconnect();
    server.close();
    server.closeAllConnections();
  });
});
