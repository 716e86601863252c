import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { attachGateway, createGateway, type Gateway, type GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../support/cleanup.js';
import { Inbox } from '../support/gateway/inbox.js';
import { PlainClient, refusal } from '../support/gateway/plain-client.js';
import { SocketIoClient } from '../support/gateway/socketio-client.js';

const POLLING = '/socket.io/?EIO=4&transport=polling';

async function gatewayWith(more: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const log = `sqlite:${temporaryFolder()}/log.db`;
  const gateway = await createGateway({ log, routes: { events: { path: '/events' } }, ...more });
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  return gateway;
}

async function application(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end('app'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port: portOf(server) };
}

function portOf(server: { address(): unknown }): number {
  return Number(Reflect.get(Object(server.address()), 'port'));
}

/** The statuses of a poll and of a WebSocket handshake from a page of this origin. */
async function statuses(port: number, origin: string): Promise<unknown[]> {
  const polled = await fetch(`http://127.0.0.1:${port}${POLLING}`, { headers: { origin } });
  const shown = polled.headers.get('access-control-allow-origin');
  const upgraded = await refusal(`ws://127.0.0.1:${port}${POLLING.replace('polling', 'websocket')}`, { origin });
  return [polled.status, shown, upgraded.statusCode];
}

describe('gateway.io on a server of the application', () => {
  it('[fault B7] admits by io.attach exactly the clients that the gateway admits', async () => {
    const gateway = await gatewayWith({ allowedOrigins: ['https://shop.example'] });
    const { server, port } = await application();
    expect(gateway.io.attach(server)).toBe(gateway.io);
    expect(await statuses(port, 'https://evil.example')).toEqual([403, null, 403]);
    const allowed = await fetch(`http://127.0.0.1:${port}${POLLING}`, { headers: { origin: 'https://shop.example' } });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'https://shop.example']);
    const client = await SocketIoClient.open(`http://127.0.0.1:${port}/events`);
    await client.count('subscribed', 1);
    await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
    await client.count('event', 1);
    expect(await (await fetch(`http://127.0.0.1:${port}/events`)).text()).toBe('app');
  });

  it('[fault B7] admits the same clients by io.listen, by io.engine.attach, and by direct calls of the engine', async () => {
    const gateway = await gatewayWith({ allowedOrigins: ['https://shop.example'] });
    const { server, port } = await application();
    gateway.io.engine.attach(server);
    expect(await statuses(port, 'https://evil.example')).toEqual([403, null, 403]);
    const free = await application();
    free.server.close();
    gateway.io.listen(free.port);
    const [listening] = [gateway.io.httpServer];
    if (!listening.listening) await once(listening, 'listening');
    expect(await statuses(free.port, 'https://evil.example')).toEqual([403, null, 403]);
    const handing = createServer((request, response) =>
      gateway.io.engine.handleRequest(Object.assign(request), response),
    );
    handing.on('upgrade', (request, socket, head) =>
      gateway.io.engine.handleUpgrade(Object.assign(request), socket, head),
    );
    handing.listen(0, '127.0.0.1');
    await once(handing, 'listening');
    afterTest(() => handing.close());
    expect(await statuses(portOf(handing), 'https://evil.example')).toEqual([403, null, 400]);
  });

  it('[fault B7] refuses options that it would not apply, and another engine', async () => {
    const gateway = await gatewayWith();
    const { server } = await application();
    expect(() => gateway.io.attach(server, { cors: { origin: '*' } })).toThrow('give "cors" to the gateway');
    expect(() => gateway.io.attach(Object(() => {}))).toThrow('takes a port or an HTTP server');
    expect(() => gateway.io.bind(gateway.io.engine)).toThrow('is not supported');
  });

  it('[fault D7] has the listening server as its httpServer', async () => {
    const gateway = await gatewayWith();
    const { server, port } = await application();
    gateway.attach(server);
    expect(gateway.io.httpServer).toBe(server);
    expect(portOf(gateway.io.httpServer)).toBe(port);
    const own = await gateway.listen({ port: 0 });
    expect(portOf(gateway.io.httpServer)).toBe(own.port);
  });

  it('[fault D7] is closed for good by io.close: its clients leave and cannot return; all others stay', async () => {
    const { server, port } = await application();
    const gateway = await attachGateway(server, {
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events' } },
    });
    afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
    const named = await application();
    gateway.io.attach(named.server);
    const plain = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    const clients = ['polling', 'websocket'].map((transport) =>
      SocketIoClient.open(`http://127.0.0.1:${port}/events`, { transports: [transport], reconnection: false }),
    );
    const left = (await Promise.all(clients)).map(
      ({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)),
    );
    let told = false;
    await gateway.io.close(() => {
      told = true;
    });
    expect(told).toBe(true);
    await Promise.all(left);
    expect(named.server.listening).toBe(false);
    expect((await fetch(`http://127.0.0.1:${port}${POLLING}`)).status).toBe(503);
    expect(await (await fetch(`http://127.0.0.1:${port}/home`)).text()).toBe('app');
    await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
    expect(await plain.numbers(1)).toEqual([1]);
  });

  it('[fault D7] speaks Engine.IO 3 only with allowEIO3', async () => {
    const asked = '/socket.io/?EIO=3&transport=polling';
    const refusing = await (await gatewayWith()).listen({ port: 0 });
    expect((await fetch(`http://127.0.0.1:${refusing.port}${asked}`)).status).toBe(400);
    const gateway = await gatewayWith({ socketIo: { allowEIO3: true } });
    const taking = await gateway.listen({ port: 0 });
    expect((await fetch(`http://127.0.0.1:${taking.port}${asked}`)).status).toBe(200);
    // A client of Socket.IO 2, which names its namespaces without a comma.
    const old = new WebSocket(`ws://127.0.0.1:${taking.port}${asked.replace('polling', 'websocket')}`);
    afterTest(() => old.terminate());
    const texts = new Inbox<string>();
    old.on('message', (data) => texts.push(String(data)));
    old.once('open', () => old.send('40/events'));
    await texts.first((text): text is string => text.startsWith('42/events,["subscribed"'));
    await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
    await texts.first((text): text is string => text.startsWith('42/events,["T"'));
  });
});
