import { once } from 'node:events';
import { createServer } from 'node:http';
import { createComponentServer, createGateway, type Logger } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { type StartOptions, startGateway } from '../../support/gateway/gateway.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { freePort } from '../../support/ports.js';

const SHOP = 'https://shop.example';
const STREAM = { Accept: 'text/event-stream' };

/** Starts a gateway and collects its log lines about refusals. */
async function startTelling(options: StartOptions = {}) {
  const { lines, logger } = recorder();
  return { ...(await startGateway({ ...options, logger })), lines };
}

function recorder() {
  const lines: { fields: object; message: string }[] = [];
  const ignore = () => {};
  const warn: Logger['warn'] = (fields, message) => {
    if (message.startsWith('refused')) lines.push({ fields, message });
  };
  return { lines, logger: { info: ignore, error: ignore, debug: ignore, warn } };
}

async function streamStatus(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const answer = await fetch(url, { method, headers: { ...STREAM, ...headers } });
  const isProblem = answer.headers.get('content-type') === 'application/problem+json';
  const body = isProblem ? await answer.json() : void (await answer.body?.cancel());
  return { status: answer.status, body };
}

describe('[fault G2] The log tells, once and with the remedy, of a refused', () => {
  it('origin, on every transport and however often a page tries', async () => {
    const { lines, http, ws } = await startTelling({ allowedOrigins: ['https://other.example'] });
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await refusal(ws('/events'), { origin: SHOP })).statusCode).toBe(403);
      expect((await streamStatus(http('/events'), { Origin: SHOP })).status).toBe(403);
      expect((await streamStatus(http('/socket.io/?EIO=4&transport=polling'), { Origin: SHOP })).status).toBe(403);
    }
    expect(lines.map(({ fields }) => fields)).toEqual([{ reason: 'origin', origin: SHOP }]);
    expect(lines[0]?.message).toContain(`--allowed-origin=${SHOP}`);
    expect(lines[0]?.message).toContain(`add '${SHOP}' to allowedOrigins (in pregon.yml: under websocket)`);
  });

  it.each([
    ['null', /sandboxed frames/],
    ['https://SHOP.example/path', /nothing to allow/],
    ['http://localhost:8080', /--allowed-origin=http:\/\/localhost:8080/],
  ])('origin %s, with the remedy that fits it', async (origin, remedy) => {
    const { lines, ws } = await startTelling({ allowedOrigins: [SHOP] });
    await refusal(ws('/events'), { origin });
    expect(lines.map(({ message }) => message)).toEqual([expect.stringMatching(remedy)]);
  });

  it('origin, and adds that local pages must then be named as well', async () => {
    const { lines, ws } = await startTelling();
    await refusal(ws('/events'), { origin: SHOP });
    expect(lines[0]?.message).toMatch(/origins of pages on this machine must then be added as well/);
  });

  it('browser that reaches the gateway by a foreign name', async () => {
    const { lines, port } = await startTelling({ access: 'public', allowedOrigins: [SHOP] });
    const raw = await RawSocket.open(port);
    raw.request('/events', { Host: 'live.example', ...STREAM, 'Accept-Language': 'en' });
    expect(await raw.head()).toContain(' 403 ');
    expect(lines[0]?.message).toContain('--allowed-origin=http://live.example');
  });

  it('[H-01] client that is not on this machine, with the three ways to admit it', async () => {
    const { lines, port } = await startTelling();
    for (let attempt = 0; attempt < 3; attempt++) {
      const raw = await RawSocket.open(port);
      expect(await raw.upgrade('/events', { Host: 'gateway.example' })).toContain(' 401 ');
    }
    expect(lines).toEqual([
      { fields: { reason: 'access', subject: '/events' }, message: expect.stringContaining('the client is 127.0.0.1') },
    ]);
    for (const remedy of ['configure auth', '--access=public', 'PREGON_ACCESS=public', "access: 'public'"]) {
      expect(lines[0]?.message).toContain(remedy);
    }
  });

  it('preflight for a method that is never allowed, and of one from a foreign page', async () => {
    const { lines, http } = await startTelling({ allowedOrigins: [SHOP] });
    const asks = (method: string) => ({ 'Access-Control-Request-Method': method });
    expect((await streamStatus(http('/events'), { Origin: SHOP, ...asks('GET') }, 'OPTIONS')).status).toBe(204);
    expect(lines).toEqual([]);
    expect((await streamStatus(http('/events'), { Origin: SHOP, ...asks('POST') }, 'OPTIONS')).status).toBe(204);
    expect(
      (await streamStatus(http('/events'), { Origin: 'https://x.example', ...asks('GET') }, 'OPTIONS')).status,
    ).toBe(403);
    expect(lines.map(({ message }) => message)).toEqual([
      'refused: a page may not use the method POST; only GET is allowed here',
      expect.stringContaining('--allowed-origin=https://x.example'),
    ]);
  });

  it('unknown route, on every transport, with the existing routes', async () => {
    const { lines, http, ws } = await startTelling();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect((await refusal(ws('/evnts'))).statusCode).toBe(404);
      expect((await streamStatus(http('/evnts'))).status).toBe(404);
    }
    const client = new SocketIoClient(http('/ordres'), { reconnection: false });
    await new Promise((resolve) => client.socket.once('connect_error', resolve));
    expect(lines.map(({ fields }) => fields)).toEqual([
      { reason: 'route', subject: '/evnts' },
      { reason: 'route', subject: '/ordres' },
    ]);
    for (const { message } of lines) expect(message).toContain('the routes are /events');
  });

  it('upgrade to another protocol or version, and of a request that is no event stream', async () => {
    const { lines, port, http } = await startTelling();
    const old = await RawSocket.open(port);
    expect(await old.upgrade('/events', { 'Sec-WebSocket-Version': '8' })).toContain(' 426 ');
    expect((await streamStatus(http('/events'), { Accept: 'text/html' })).body).toEqual({
      status: 426,
      title: 'connect by WebSocket, or ask for text/event-stream',
    });
    expect((await streamStatus(http('/events?since=yesterday'))).status).toBe(400);
    expect(lines.map(({ fields }) => Reflect.get(fields, 'reason'))).toEqual(['handshake', 'request']);
  });

  it('client of Socket.IO 2', async () => {
    const { lines, http } = await startTelling();
    await fetch(http('/socket.io/?EIO=3&transport=polling'));
    expect(lines[0]?.message).toMatch(/Unsupported protocol version.*allowEIO3: true/);
  });

  it('upgrade that no listener takes on the server of an application', async () => {
    const { lines, logger } = recorder();
    const server = createServer();
    const gateway = await createGateway({ log: (await startGateway()).log, routes: { a: { path: '/a' } }, logger });
    gateway.attach(server);
    const port = await freePort();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    afterTest(async () => {
      await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
      server.close();
    });
    expect((await refusal(`ws://127.0.0.1:${port}/b`)).statusCode).toBe(404);
    expect(lines.map(({ message }) => message)).toEqual([expect.stringMatching(/the gateway serves .*\/a/)]);
  });

  it('page without the right origin for a component, on a server for components alone', async () => {
    const { lines, logger } = recorder();
    const server = createComponentServer({ allowedOrigins: [SHOP], logger }).mount('/chat', {
      onOpen() {},
      onMessage() {},
      onClose() {},
      onError() {},
    });
    const { port } = await server.listen({ port: 0 });
    afterTest(() => server.close({ timeoutMs: 1_000 }));
    await refusal(`ws://127.0.0.1:${port}/chat`, { origin: 'https://x.example' });
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('--allowed-origin=https://x.example'),
    ]);
  });

  it('client only: it does not mention clients that are admitted', async () => {
    const { lines, ws, http } = await startTelling({ allowedOrigins: [SHOP] });
    await PlainClient.open(ws('/events'), { origin: SHOP });
    await SocketIoClient.open(http('/events'), { extraHeaders: { Origin: SHOP } });
    expect(lines).toEqual([]);
  });
});

describe('[fault G2] A refused upgrade', () => {
  it.each([
    ['/nothing', {}, { status: 404, title: 'no route has the path /nothing' }],
    [
      '/events',
      { Origin: SHOP },
      { status: 403, title: `pages of the origin ${SHOP} may not connect; see allowedOrigins` },
    ],
    [
      '/events',
      { 'Sec-WebSocket-Key': 'short' },
      { status: 400, title: 'Sec-WebSocket-Key is missing, or is not 16 bytes in base64' },
    ],
    [
      '/events',
      { 'Sec-WebSocket-Version': '8' },
      { status: 426, title: 'the only supported version of WebSocket is 13' },
    ],
  ])('of %s with %j is answered with the reason as a problem document', async (path, headers, problem) => {
    const { port } = await startGateway();
    const raw = await RawSocket.open(port);
    const head = await raw.upgrade(path, headers);
    await raw.whenEnded();
    expect(head).toContain('Content-Type: application/problem+json\r\n');
    expect(JSON.parse(raw.text)).toEqual(problem);
  });
});

describe('[fault G1] A request for the snapshot of a route that has none', () => {
  const remedy = /add "snapshot:" to it in pregon\.yml.* --snapshot=URL/;

  it('is refused with the remedy on every transport, and logged once', async () => {
    const { lines, ws, http } = await startTelling();
    for (let attempt = 0; attempt < 3; attempt++) {
      const frames = await FramesClient.open(ws('/events'));
      const answer = await frames.subscribe({ id: 1, snapshot: true });
      expect(answer).toMatchObject({
        op: 'error',
        code: 'SNAPSHOT_NOT_OFFERED',
        message: expect.stringMatching(remedy),
      });
    }
    const socketIo = await SocketIoClient.open(http('/events'), { auth: { snapshot: true }, reconnection: false });
    const [[refused] = []] = await socketIo.count('refused', 1);
    expect(refused).toMatchObject({ code: 'SNAPSHOT_NOT_OFFERED', message: expect.stringMatching(remedy) });
    const { status, body } = await streamStatus(http('/events?snapshot=true'));
    expect([status, body]).toEqual([400, { status: 400, title: expect.stringMatching(remedy) }]);
    const missing = lines.filter(({ fields }) => Reflect.get(fields, 'reason') === 'snapshot');
    expect(missing).toEqual([
      { fields: { reason: 'snapshot', subject: '/events' }, message: expect.stringMatching(remedy) },
    ]);
  });
});
