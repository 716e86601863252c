import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { attachGateway, createComponentServer, createGateway, type GatewayOptions } from 'pregon';
import { describe, expect, it, vi } from 'vitest';
import { askAt, CHAT, ENTRANCES, type Outcome } from '../../support/access/entrances.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { describeWithNginx, Nginx } from '../../support/nginx.js';

const COMPONENT = { onOpen() {}, onMessage() {}, onClose() {}, onError() {} };
const SHOP = 'https://shop.example';
const SERVER = resolve(import.meta.dirname, '../../../packages/server/src');

/** What a request looks like that does not come from this machine, or does not come directly. */
const FOREIGN: Readonly<Record<string, Record<string, string>>> = {
  'addresses the gateway by a public name': { Host: 'gateway.example' },
  'addresses the gateway by an address of the network': { Host: '192.168.0.7:1234' },
  'was passed on with X-Forwarded-For': { 'X-Forwarded-For': '127.0.0.1' },
  'was passed on with X-Forwarded-Proto': { 'X-Forwarded-Proto': 'https' },
  'was passed on with Forwarded': { Forwarded: 'for=127.0.0.1' },
  'was passed on with X-Real-IP': { 'X-Real-IP': '127.0.0.1' },
  'was passed on with Via': { Via: '1.1 proxy' },
};

async function start(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const started = await startGateway(options);
  started.gateway.mount(CHAT, COMPONENT);
  return started;
}

/** The status that a client is told, by HTTP or by the code of a close frame. */
function statusOf({ status, close }: Outcome): number {
  return close ? close.code : status;
}

const REFUSED = expect.toBeOneOf([401, 4505]);

describe.each(Object.entries(ENTRANCES))(
  '[I-9] [H-01] With nothing configured, at the entrance of %s,',
  (_, entrance) => {
    it.each(Object.entries(FOREIGN))('a client is refused that %s', async (_name, headers) => {
      const opened: unknown[] = [];
      const gateway = await start({
        routes: { events: { path: '/events', handlers: [{ opened: () => opened.push(1) }] } },
      });
      expect(statusOf(await askAt(gateway.port, entrance, headers))).toEqual(REFUSED);
      expect(opened).toEqual([]);
      expect(gateway.gateway.connections('events').count).toBe(0);
    });

    it('a client on this machine is not refused with 401', async () => {
      const { port } = await start();
      for (const Host of ['localhost:1234', '127.0.0.1', '[::1]:80', 'app.localhost']) {
        expect(statusOf(await askAt(port, entrance, { Host }))).toEqual(expect.toBeOneOf([101, 200, 426]));
      }
    });

    it('every client is admitted with access: public, if its origin is allowed', async () => {
      const { port } = await start({ access: 'public', allowedOrigins: [SHOP] });
      for (const headers of Object.values(FOREIGN)) {
        const outcome = statusOf(await askAt(port, entrance, headers));
        expect(outcome).toEqual(expect.toBeOneOf([101, 200, 426]));
      }
      const evil = { Host: 'gateway.example', Origin: 'https://evil.example' };
      expect(statusOf(await askAt(port, entrance, evil))).toBe(403);
    });
  },
);

it('[I-9] [H-01] Every file of the server that takes clients has a client in the table of entrances', () => {
  // What forwards requests to another entrance, or to a transport of the table.
  const forwards = [
    'gateway/entrances/own-path-entrance.ts',
    'transports/socketio/socketio-transport.ts',
    'workers/shared-entrance.ts',
    // Exists only with auth.
    'gateway/tickets/ticket-entrance.ts',
  ];
  const takesClients = /implements Entrance\b|\bentrance\(kernel\b(?!: Kernel)|: TransportEntrance => \(\{/;
  const found = readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) =>
        file.endsWith('.ts') &&
        !file.startsWith('testing/') &&
        takesClients.test(readFileSync(join(SERVER, file), 'utf8')),
    )
    .map((file) => relative(SERVER, join(SERVER, file)));
  const known = [...new Set(Object.values(ENTRANCES).map(({ source }) => source)), ...forwards];
  expect(found.sort()).toEqual(known.sort());
});

describe('[I-9] [H-01] With nothing configured', () => {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((found) => found?.family === 'IPv4' && !found.internal)?.address;

  it.skipIf(address === undefined)(
    'a client with another address of this machine is refused, and told the address',
    async () => {
      const { port } = await startGateway({ listen: { host: '0.0.0.0' } });
      for (const Host of ['localhost', `${address}:${port}`]) {
        const socket = connect({ host: address, port });
        afterTest(() => socket.destroy());
        socket.write(`GET /events HTTP/1.1\r\nHost: ${Host}\r\nConnection: close\r\n\r\n`);
        let text = '';
        for await (const bytes of socket) text += String(bytes);
        expect(text).toMatch(/^HTTP\/1\.1 401 /);
        expect(text).toMatch(/\r\nWWW-Authenticate: Bearer\r\n/);
        expect(text).toContain(
          `only this machine may connect until auth or access is configured; the client is ${address}`,
        );
      }
    },
  );

  it('a client on this machine is admitted to a port of all addresses, also as ::ffff:127.0.0.1', async () => {
    const { ws, append } = await startGateway({ listen: { host: '::' } });
    const client = await PlainClient.open(ws('/events'));
    await append(1);
    expect(await client.numbers(1)).toEqual([1]);
  });

  it('a client that comes by a Unix socket is refused', async () => {
    const server = createServer();
    const path = join(temporaryFolder(), 'gateway.sock');
    await once(server.listen(path), 'listening');
    const gateway = await attachGateway(server, {
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events' } },
    });
    afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
    const request = httpRequest({ socketPath: path, path: '/events', headers: { Host: 'localhost' } }).end();
    const [response]: IncomingMessage[] = await once(request, 'response');
    expect(response?.statusCode).toBe(401);
    response?.resume();
  });

  it('a request of HTTP/1.0 is refused', async () => {
    const { port } = await startGateway();
    const socket = connect({ host: '127.0.0.1', port });
    afterTest(() => socket.destroy());
    socket.write('GET /events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
    let text = '';
    for await (const bytes of socket) text += String(bytes);
    expect(text).toMatch(/^HTTP\/1\.\d 401 /);
    expect(text).toContain('HTTP/1.0 as proxies do');
  });

  it('a page of an allowed origin, and a client that offers pregon.v1, learn the reason by a close code', async () => {
    const { port } = await start({ allowedOrigins: [SHOP] });
    const proxied = { 'X-Forwarded-For': '203.0.113.7' };
    const reason = expect.stringContaining('only this machine may connect until auth or access is configured');
    const { 'plain WebSocket': plain, 'pregon.v1': frames, 'an event stream': stream, 'a component': chat } = ENTRANCES;
    if (!plain || !frames || !stream || !chat) throw new Error('the table has these entrances');
    expect((await askAt(port, plain, { ...proxied, Origin: SHOP })).close).toEqual({ code: 4505, reason });
    expect((await askAt(port, frames, proxied)).close).toEqual({ code: 4505, reason });
    expect((await askAt(port, chat, { ...proxied, Origin: SHOP })).close).toEqual({ code: 4505, reason });
    for (const entrance of [plain, chat]) {
      expect((await askAt(port, entrance, proxied)).status).toBe(401);
      expect((await askAt(port, entrance, { ...proxied, Origin: 'https://evil.example' })).status).toBe(401);
    }
    const readable = await askAt(port, stream, { ...proxied, Origin: SHOP });
    expect(readable.status).toBe(401);
    expect(readable.head).toContain(`Access-Control-Allow-Origin: ${SHOP}\r\n`);
    const foreign = await askAt(port, stream, { ...proxied, Origin: 'https://evil.example' });
    expect(foreign.head).not.toContain('Access-Control-Allow-Origin');
  });

  it('a stock Socket.IO client by long polling needs no lasting connection', async () => {
    const { http } = await startGateway();
    const ask = async (query: string, body?: string) => {
      const url = http(`/socket.io/?EIO=4&transport=polling${query}`);
      // Each request has a connection of its own, which closes after the answer.
      const request = httpRequest(url, { agent: false, method: body === undefined ? 'GET' : 'POST' }).end(body);
      const [response]: IncomingMessage[] = await once(request, 'response');
      let text = '';
      for await (const bytes of response ?? []) text += String(bytes);
      return text;
    };
    const sid = /"sid":"([^"]+)"/.exec(await ask(''))?.[1];
    expect(await ask(`&sid=${sid}`, '40/events,')).toBe('ok');
    expect(await ask(`&sid=${sid}`)).toMatch(/^40\/events,\{"sid"/);
  });
});

it('[I-9] [H-01] A session of Socket.IO that began on this machine is not continued through a proxy', async () => {
  const { port } = await startGateway();
  const { 'Socket.IO by long polling': polling, 'Socket.IO by WebSocket': webSocket } = ENTRANCES;
  if (!polling || !webSocket) throw new Error('the table has these entrances');
  const raw = await RawSocket.open(port);
  raw.request(polling.path, { Host: 'localhost' });
  await raw.untilText('"sid":"');
  const sid = /"sid":"([^"]+)"/.exec(raw.text)?.[1];
  const proxied = { 'X-Forwarded-For': '127.0.0.1' };
  for (const entrance of [polling, webSocket]) {
    const continued = { ...entrance, path: `${entrance.path}&sid=${sid}` };
    expect((await askAt(port, continued, proxied)).status).toBe(401);
  }
});

describe('[I-9] [H-01] A public route of a gateway without auth', () => {
  const options: Partial<GatewayOptions> = {
    routes: { events: { path: '/events' }, news: { path: '/news', access: 'public' } },
  };
  const extraHeaders = { 'X-Forwarded-For': '203.0.113.7' };

  it('admits every client on every transport, and the other routes stay closed', async () => {
    const { port } = await start(options);
    for (const entrance of Object.values(ENTRANCES).filter(({ path }) => path === '/events')) {
      const admitted = statusOf(await askAt(port, { ...entrance, path: '/news' }, extraHeaders));
      expect(admitted).toEqual(expect.toBeOneOf([101, 200, 426]));
      expect(statusOf(await askAt(port, entrance, extraHeaders))).toEqual(REFUSED);
    }
  });

  it.each(['websocket', 'polling'] as const)('opens its namespace by %s, and no other', async (transport) => {
    const { http, gateway } = await start(options);
    gateway.io.of('/lobby');
    const outcome = (path: string, headers: Record<string, string>) =>
      new Promise((settle) => {
        const how = { transports: [transport], extraHeaders: headers, reconnection: false, forceNew: true };
        const { socket } = new SocketIoClient(http(path), how);
        socket.on('connect', () => settle('connected'));
        socket.on('connect_error', (error) => settle(Reflect.get(Object(Reflect.get(error, 'data')), 'status')));
      });
    expect(await outcome('/news', extraHeaders)).toBe('connected');
    for (const path of ['/events', '/lobby', '/']) expect(await outcome(path, extraHeaders)).toBe(401);
    for (const path of ['/events', '/lobby', '/']) expect(await outcome(path, {})).toBe('connected');
  });
});

describe('[I-9] [H-01] A component without auth', () => {
  it('is open to other machines if its mount or the server says so', async () => {
    const foreign = { Host: 'gateway.example' };
    const { 'a component': entrance } = ENTRANCES;
    if (!entrance) throw new Error('the table has this entrance');
    const statusAt = async (port: number, path: string) => (await askAt(port, { ...entrance, path }, foreign)).status;
    const closed = createComponentServer().mount(CHAT, COMPONENT).mount('/lobby', COMPONENT, { access: 'public' });
    const open = createComponentServer({ access: 'public' }).mount(CHAT, COMPONENT);
    afterTest(() => Promise.all([closed.close({ timeoutMs: 1_000 }), open.close({ timeoutMs: 1_000 })]));
    const [{ port }, { port: openPort }] = await Promise.all([closed.listen({ port: 0 }), open.listen({ port: 0 })]);
    expect(await statusAt(port, '/chat/1')).toBe(401);
    expect(await statusAt(port, '/lobby')).toBe(101);
    expect((await askAt(port, entrance)).status).toBe(101);
    expect(await statusAt(openPort, '/chat/1')).toBe(101);
    expect(() => closed.mount('/staff', COMPONENT, { access: 'authenticated' })).toThrow(/needs auth/);
  });
});

describe('[I-9] [H-01] An option auth that cannot protect anything is refused', () => {
  it.each([null, false, 0, ''])('by a gateway, if it is %s', async (auth) => {
    for (const environment of ['development', 'production']) {
      vi.stubEnv('NODE_ENV', environment);
      afterTest(() => vi.unstubAllEnvs());
      const options = { log: `sqlite:${temporaryFolder()}/log.db`, routes: { events: { path: '/events' } } };
      Reflect.set(options, 'auth', auth);
      await expect(createGateway(options)).rejects.toThrow(/^auth must be an object/);
      await expect(attachGateway(createServer(), options)).rejects.toThrow(TypeError);
    }
  });

  it('by a server for components, which has no identities', () => {
    for (const auth of [{ verify: () => undefined }, null, false]) {
      const options = { allowedOrigins: [], auth };
      expect(() => createComponentServer(options)).toThrow(/^auth needs createGateway/);
    }
  });

  it('by a server for components in production, where the access of routes opens nothing', () => {
    vi.stubEnv('NODE_ENV', 'production');
    afterTest(() => vi.unstubAllEnvs());
    const options = { allowedOrigins: [], routes: { events: { access: 'public' } } };
    expect(() => createComponentServer(options)).toThrow(/NODE_ENV is production/);
  });
});

describe('[H-01] With NODE_ENV=production', () => {
  const options = () => ({ log: `sqlite:${temporaryFolder()}/log.db`, routes: { events: { path: '/events' } } });

  it('no gateway starts with neither auth nor access', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    afterTest(() => vi.unstubAllEnvs());
    const code = { code: 'CONFIG_INVALID', message: expect.stringContaining('NODE_ENV is production') };
    await expect(createGateway(options())).rejects.toMatchObject(code);
    const server = createServer((_, response) => void response.end('the application'));
    await expect(attachGateway(server, options())).rejects.toMatchObject(code);
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(() => createComponentServer()).toThrow(expect.objectContaining(code));
    const gateway = await createGateway({ ...options(), access: 'public' });
    await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    await createComponentServer({ access: 'public' }).close();
  });
});

describeWithNginx('[I-9] [H-01] Behind nginx without any configuration of its own', () => {
  it('a gateway is closed, whatever headers nginx adds', async () => {
    const { port } = await startGateway();
    const asDelivered = await Nginx.start(port, '');
    const modern = await Nginx.start(
      port,
      'proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header Connection "";',
    );
    const usual = await Nginx.start(
      port,
      'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    );
    const ask = async (nginx: Nginx, headers: Record<string, string>) => {
      const request = httpRequest(nginx.http('/events'), { headers, agent: false }).end();
      const [response]: IncomingMessage[] = await once(request, 'response');
      response?.resume();
      return response?.statusCode;
    };
    for (const nginx of [asDelivered, modern, usual]) expect(await ask(nginx, { Host: 'gateway.example' })).toBe(401);
  });
});
