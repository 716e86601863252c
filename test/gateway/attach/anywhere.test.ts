import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import express from 'express';
import { attachGateway, createComponentServer, createGateway, type Gateway, type GatewayOptions } from 'pregon';
import { Server as SocketIoServer } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { RecordingComponent } from '../../support/gateway/applications/recording-component.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

function options(more: Partial<GatewayOptions> = {}): GatewayOptions {
  return { log: `sqlite:${temporaryFolder()}/log.db`, routes: { events: { path: '/events' } }, ...more };
}

async function attached(server: Server, more?: Partial<GatewayOptions>): Promise<Gateway> {
  const gateway = await attachGateway(server, options(more));
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  return gateway;
}

async function created(more?: Partial<GatewayOptions>): Promise<Gateway> {
  const gateway = await createGateway(options(more));
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  return gateway;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The hooks run in reverse order, so the clients are gone by then.
  afterTest(() => server.closeAllConnections());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return address.port;
}

/** Every transport works, and the listeners of the application see only the requests of the application. */
async function assertServes(gateway: Gateway, port: number, seen: readonly string[]): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  const plain = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
  const stream = await StreamClient.open(`${url}/events`);
  const polling = await SocketIoClient.open(`${url}/events`, { transports: ['polling'], reconnection: false });
  await polling.count('subscribed', 1);
  await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
  expect(await plain.numbers(1)).toEqual([1]);
  expect(await stream.numbers(1)).toEqual([1]);
  await polling.count('event', 1);
  expect((await fetch(`${url}/socket.io/socket.io.js`)).status).toBe(200);
  expect(await (await fetch(`${url}/home`)).text()).toBe('app: /home');
  expect(new Set(seen)).toEqual(new Set(['/home']));
  polling.socket.disconnect();
}

function application(seen: string[]) {
  const app = express();
  app.use((request: IncomingMessage, response: ServerResponse) => {
    seen.push(request.url ?? '');
    response.end(`app: ${request.url}`);
  });
  return app;
}

describe('A gateway that is attached to a server', () => {
  const orders: readonly [string, (server: Server, app: ReturnType<typeof express>) => Server][] = [
    ['before the application listens for requests', (server, app) => server.on('request', app)],
    ['before the application prepends its listener', (server, app) => server.prependListener('request', app)],
    [
      'before the application replaces all listeners',
      (server, app) => server.removeAllListeners('request').on('request', app),
    ],
    [
      'before the application removes the upgrade listeners',
      (server, app) => server.on('request', app).removeAllListeners('upgrade'),
    ],
  ];
  for (const [order, listenFor] of orders) {
    it(`[fault A3] takes only the requests for its own paths if it is attached ${order}`, async () => {
      const server = createServer();
      const gateway = await attached(server);
      const seen: string[] = [];
      listenFor(server, application(seen));
      expect(server.listenerCount('request')).toBe(1);
      await assertServes(gateway, await listen(server), seen);
    });
  }

  it('[fault A3] leaves the listeners of the application in place', async () => {
    const seen: string[] = [];
    const app = application(seen);
    const server = createServer(app);
    const once = () => {};
    server.once('request', once);
    const gateway = await attached(server);
    expect(server.listeners('request')).toEqual([app, once]);
    expect(Object.hasOwn(server, 'emit')).toBe(true);
    await assertServes(gateway, await listen(server), seen);
    await gateway.close({ spreadMs: 0 });
    expect(server.listeners('request')).toEqual([app]);
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(server.listenerCount('removeListener')).toBe(0);
    expect(Object.hasOwn(server, 'emit')).toBe(false);
  });

  for (const when of ['before', 'after'] as const) {
    it(`[fault A3] shares upgrades with WebSocket and Socket.IO servers if it is attached ${when} them`, async () => {
      const seen: string[] = [];
      const server = createServer(application(seen));
      const chat = new WebSocketServer({ noServer: true });
      const attachOthers = () => {
        server.prependListener('upgrade', (request, socket, head) => {
          if (request.url === '/chat') chat.handleUpgrade(request, socket, head, (client) => client.send('chat'));
        });
        const io = new SocketIoServer(server, { path: '/other.io', destroyUpgradeTimeout: 100 });
        io.on('connection', (socket) => socket.emit('hello', 'other'));
        afterTest(() => io.engine.close());
      };
      if (when === 'after') attachOthers();
      const gateway = await attached(server);
      if (when === 'before') attachOthers();
      const port = await listen(server);
      await assertServes(gateway, port, seen);
      const client = await PlainClient.open(`ws://127.0.0.1:${port}/chat`);
      expect(await client.messages.count(1)).toEqual(['chat']);
      for (const transport of ['polling', 'websocket']) {
        const other = await SocketIoClient.open(`http://127.0.0.1:${port}`, {
          path: '/other.io',
          transports: [transport],
        });
        await other.count('hello', 1);
      }
    });
  }

  it('[fault A3] answers a client that expects 100-continue although the application listens for "checkContinue"', async () => {
    const server = createServer((_request, response) => response.end('app'));
    server.on('checkContinue', (_request, response) => response.writeHead(400).end('not yours'));
    await attached(server);
    const port = await listen(server);
    const raw = await RawSocket.open(port);
    raw.request('/socket.io/?EIO=4&transport=polling', { Expect: '100-continue' });
    expect((await raw.head()).slice(9, 12)).toBe('100');
    expect((await raw.head()).slice(9, 12)).toBe('200');
    const other = await RawSocket.open(port);
    other.request('/home', { Expect: '100-continue' });
    expect((await other.head()).slice(9, 12)).toBe('400');
  });

  it('[fault A3] calls a wrapper that the application puts around server.emit later, also after the gateway has closed', async () => {
    const server = createServer((_request, response) => response.end('app'));
    const gateway = await attached(server);
    const events: unknown[] = [];
    const inner = server.emit;
    server.emit = (event: string, ...args: unknown[]) => {
      events.push(event);
      return Boolean(Reflect.apply(inner, server, [event, ...args]));
    };
    const port = await listen(server);
    await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await gateway.close({ spreadMs: 0 });
    expect(await (await fetch(`http://127.0.0.1:${port}/events`)).text()).toBe('app');
    await attached(server);
    await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    expect(events.filter((event) => event === 'upgrade')).toHaveLength(2);
  });
});

describe('Two gateways on one server', () => {
  const taken: readonly [string, Partial<GatewayOptions>, string][] = [
    ['the same route', { socketIo: false }, '/events'],
    ['the same Socket.IO path', { routes: { other: { path: '/other' } } }, '/socket.io/'],
    [
      'a route below the Socket.IO path',
      { routes: { other: { path: '/socket.io/x' } }, socketIo: false },
      '/socket.io/x',
    ],
    [
      'the same path in percent-encoded form',
      { routes: { other: { path: '/%65vents' } }, socketIo: false },
      '/%65vents',
    ],
    [
      'a Socket.IO path above a route',
      { routes: { other: { path: '/other' } }, socketIo: { path: '/events/' } },
      '/events/',
    ],
  ];
  for (const [what, second, path] of taken) {
    it(`[fault A2] cannot both serve ${what}`, async () => {
      const server = createServer((_request, response) => response.end('app'));
      const first = await attached(server);
      const before = [server.listeners('request'), server.listeners('upgrade'), server.emit];
      await expect(attachGateway(server, options(second))).rejects.toThrow(`${path} is served on this server already`);
      expect([server.listeners('request'), server.listeners('upgrade'), server.emit]).toEqual(before);
      const other = await created(second);
      expect(() => other.attach(server)).toThrow(TypeError);
      const port = await listen(server);
      const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
      await first.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
      expect(await client.numbers(1)).toEqual([1]);
    });
  }

  it('[fault A2] cannot both serve one path if they are created at the same time: only the first is attached', async () => {
    const server = createServer((_request, response) => response.end('app'));
    const made = await Promise.allSettled([attached(server), attachGateway(server, options())]);
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await PlainClient.open(`ws://127.0.0.1:${await listen(server)}/events`);
  });

  it('[fault A2] cannot both serve component paths that can match the same request', async () => {
    const server = createServer();
    const first = await attached(server, { socketIo: false });
    first.mount('/chat/:room', new RecordingComponent());
    for (const path of ['/chat/lobby', '/chat/:name', '/:any/lobby', '/events']) {
      const components = createComponentServer().mount(path, new RecordingComponent());
      expect(() => components.attach(server), path).toThrow('is served on this server already');
    }
    const components = createComponentServer().mount('/chat', new RecordingComponent());
    components.attach(server);
    afterTest(() => components.close());
    expect(() => components.mount('/chat/:room', new RecordingComponent())).toThrow('is served on this server already');
    expect(() => first.mount('/chat', new RecordingComponent())).toThrow('is served on this server already');
    const port = await listen(server);
    expect((await refusal(`ws://127.0.0.1:${port}/nothing`)).statusCode).toBe(404);
    await PlainClient.open(`ws://127.0.0.1:${port}/chat`);
    await PlainClient.open(`ws://127.0.0.1:${port}/chat/lobby`);
  });

  it('[fault A2] can serve the same path one after the other, as when code is reloaded', async () => {
    const server = createServer((_request, response) => response.end('app'));
    const port = await listen(server);
    const first = await attached(server);
    first.attach(server);
    const old = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    // Not awaited, because code that reloads seldom awaits it.
    const closed = first.close({ spreadMs: 0 });
    const second = await attached(server);
    expect((await old.whenClosed()).code).toBe(4000);
    await closed;
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await second.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 2 } });
    expect(await client.numbers(1)).toEqual([2]);
  });

  it('[fault A2] cannot hide their own routes or components by their Socket.IO path', async () => {
    const hidden = createGateway(options({ routes: { hidden: { path: '/socket.io/x' } } }));
    await expect(hidden).rejects.toThrow('/socket.io/x already uses the path');
    const gateway = await created();
    expect(() => gateway.mount('/socket.io/:x', new RecordingComponent())).toThrow('/socket.io/ already uses the path');
  });
});
