import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import express from 'express';
import { createComponentServer, createGateway, type Gateway } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { RecordingComponent } from '../../support/gateway/applications/recording-component.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

interface Attached {
  readonly server: Server;
  readonly gateway: Gateway;
  readonly port: number;
}

/** Attaches a gateway to a server that may already have listeners. */
async function attachTo(server: Server): Promise<Attached> {
  const gateway = await createGateway({
    log: `sqlite:${temporaryFolder()}/log.db`,
    routes: { events: { path: '/events' }, teams: { path: '/live/teams' } },
  });
  gateway.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(async () => {
    await gateway.close({ spreadMs: 0 });
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return { server, gateway, port: address.port };
}

function publish(gateway: Gateway): Promise<unknown> {
  return gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
}

async function textOf(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

function simpleServer(): Server {
  return createServer((request, response) => response.end(`app: ${request.method} ${request.url}`));
}

describe('A gateway that is attached to a server', () => {
  it('[001-14] of node:http takes the paths of its routes on all transports, and leaves all other paths', async () => {
    const { gateway, port } = await attachTo(simpleServer());
    const url = `http://127.0.0.1:${port}`;
    expect(await textOf(`${url}/`)).toEqual([200, 'app: GET /']);
    expect(await textOf(`${url}/events2`, { method: 'POST' })).toEqual([200, 'app: POST /events2']);
    const socket = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    const stream = await StreamClient.open(`${url}/live/teams`);
    await publish(gateway);
    expect(await socket.numbers(1)).toEqual([1]);
    expect(await stream.numbers(1)).toEqual([1]);
    expect((await textOf(`${url}/events`))[0]).toBe(426);
    expect((await textOf(`${url}/events`, { method: 'POST' }))[0]).toBe(405);
    expect((await refusal(`ws://127.0.0.1:${port}/nothing`)).statusCode).toBe(404);
  });

  it('[001-15][001-17] of Express 5 serves WebSocket and event streams on the port of the application’s pages', async () => {
    const app = express();
    app.get('/', (_request, response) => response.send('home'));
    app.post('/users', express.json(), (request, response) => response.status(201).json(request.body));
    const { gateway, port } = await attachTo(createServer(app));
    const url = `http://127.0.0.1:${port}`;
    expect(await textOf(`${url}/`)).toEqual([200, 'home']);
    const body = JSON.stringify({ name: 'Ada' });
    const headers = { 'content-type': 'application/json' };
    expect(await textOf(`${url}/users`, { method: 'POST', body, headers })).toEqual([201, body]);
    expect((await textOf(`${url}/nowhere`))[0]).toBe(404);
    const socket = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    const stream = await StreamClient.open(`${url}/events`);
    await publish(gateway);
    expect(await socket.numbers(1)).toEqual([1]);
    expect(await stream.numbers(1)).toEqual([1]);
  });

  it('[001-14] leaves upgrades of other paths to the existing listeners', async () => {
    const server = simpleServer();
    const chat = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/chat') chat.handleUpgrade(request, socket, head, (client) => client.send('chat'));
    });
    afterTest(() => chat.close());
    const { gateway, port } = await attachTo(server);
    const other = await PlainClient.open(`ws://127.0.0.1:${port}/chat`);
    expect(await other.messages.count(1)).toEqual(['chat']);
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await publish(gateway);
    expect(await client.numbers(1)).toEqual([1]);
    expect(client.messages.all).toEqual([]);
    await gateway.close({ spreadMs: 0 });
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    await PlainClient.open(`ws://127.0.0.1:${port}/chat`);
  });

  it('restores the listeners of the server when it closes, and the server goes on', async () => {
    const server = simpleServer();
    const listener = server.listeners('request')[0];
    const { gateway, port } = await attachTo(server);
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await gateway.close({ spreadMs: 0 });
    expect((await client.whenClosed()).code).toBe(4000);
    expect(server.listeners('request')).toEqual([listener]);
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(await textOf(`http://127.0.0.1:${port}/events`)).toEqual([200, 'app: GET /events']);
    const again = await createGateway({
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events' } },
    });
    afterTest(() => again.close({ spreadMs: 0 }));
    again.attach(server);
    const second = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await publish(again);
    expect(await second.numbers(1)).toEqual([1]);
  });

  it('answers new handshakes with 503 and Retry-After while it closes', async () => {
    const { gateway, port, server } = await attachTo(simpleServer());
    const slow = await RawSocket.open(port);
    await slow.upgrade('/events');
    const closing = gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    const url = `http://127.0.0.1:${port}`;
    const plain = await fetch(`${url}/events`);
    expect([plain.status, plain.headers.get('retry-after')]).toEqual([503, '1']);
    const refused = await refusal(`ws://127.0.0.1:${port}/events`);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
    expect(await textOf(`${url}/other`)).toEqual([200, 'app: GET /other']);
    await closing;
    expect(server.listening).toBe(true);
  });

  it('can also listen on a port of its own', async () => {
    const { gateway, port } = await attachTo(simpleServer());
    const own = await gateway.listen({ port: 0 });
    const clients = [await PlainClient.open(`ws://127.0.0.1:${port}/events`)];
    clients.push(await PlainClient.open(`ws://127.0.0.1:${own.port}/events`));
    await publish(gateway);
    for (const client of clients) expect(await client.numbers(1)).toEqual([1]);
    expect(gateway.connections('events').count).toBe(2);
  });
});

describe('A gateway and a component server on one server', () => {
  for (const closed of ['first', 'second'] as const) {
    it(`serve their own paths, answer 404 once for an unknown path, and stay independent if the ${closed} closes`, async () => {
      let asked = 0;
      const server = simpleServer().on('request', () => {
        asked += 1;
      });
      const { gateway, port } = await attachTo(server);
      const components = createComponentServer().mount('/chat', new RecordingComponent());
      components.attach(server);
      afterTest(() => components.close());
      const statuses = async () => {
        const upgrades = ['/events', '/chat', '/nothing'].map(async (path) => {
          const raw = await RawSocket.open(port);
          const head = await raw.upgrade(path);
          raw.socket.destroy();
          return head.slice(9, 12);
        });
        return [...(await Promise.all(upgrades)), await textOf(`http://127.0.0.1:${port}/`)];
      };
      expect(await statuses()).toEqual(['101', '101', '404', [200, 'app: GET /']]);
      await (closed === 'first' ? gateway.close({ spreadMs: 0 }) : components.close());
      const left = closed === 'first' ? ['404', '101'] : ['101', '404'];
      expect(await statuses()).toEqual([...left, '404', [200, 'app: GET /']]);
      await Promise.all([gateway.close({ spreadMs: 0 }), components.close()]);
      expect(await textOf(`http://127.0.0.1:${port}/events`)).toEqual([200, 'app: GET /events']);
      expect(await textOf(`http://127.0.0.1:${port}/chat`)).toEqual([200, 'app: GET /chat']);
      expect(asked).toBe(4);
    });
  }
});
