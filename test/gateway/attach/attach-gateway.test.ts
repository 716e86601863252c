import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import { attachGateway, createGateway, type Gateway, type GatewayOptions } from 'pregon';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

function options(more: Partial<GatewayOptions> = {}): GatewayOptions {
  return { log: `sqlite:${temporaryFolder()}/log.db`, routes: { events: { path: '/events' } }, ...more };
}

/** A listening Express application that answers every request that the gateway does not take. */
async function listening(): Promise<{ server: Server; port: number }> {
  const app = express();
  app.use((request, response) => void response.status(404).send(`app: ${request.path}`));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port: portOf(server) };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return address.port;
}

async function attached(server: Server, more?: Partial<GatewayOptions>): Promise<Gateway> {
  const gateway = await attachGateway(server, options(more));
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  return gateway;
}

function publish(gateway: Gateway): Promise<unknown> {
  return gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
}

describe('attachGateway', () => {
  it('[001-14][001-15][001-17] serves routes, Socket.IO and its script beside an application that is already listening', async () => {
    const { server, port } = await listening();
    const gateway = await attached(server);
    const url = `http://127.0.0.1:${port}`;
    const plain = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    const stream = await StreamClient.open(`${url}/events`);
    const stock = await SocketIoClient.open(`${url}/events`);
    await stock.count('subscribed', 1);
    await publish(gateway);
    expect(await plain.numbers(1)).toEqual([1]);
    expect(await stream.numbers(1)).toEqual([1]);
    await stock.count('event', 1);
    expect((await fetch(`${url}/socket.io/socket.io.js`)).headers.get('content-type')).toMatch(/javascript/);
    expect(await (await fetch(`${url}/other`)).text()).toBe('app: /other');
  });

  it('makes early clients wait until the gateway is ready, and leaves all other requests to the application', async () => {
    const { server, port } = await listening();
    const attaching = attached(server);
    const url = `http://127.0.0.1:${port}`;
    const early = [
      PlainClient.open(`ws://127.0.0.1:${port}/events`),
      StreamClient.open(`${url}/events`),
      SocketIoClient.open(url, { transports: ['websocket'], reconnection: false }),
      SocketIoClient.open(`${url}/events`, { transports: ['polling'], reconnection: false }),
    ];
    expect(await (await fetch(`${url}/other`)).text()).toBe('app: /other');
    await Promise.all(early);
    await attaching;
  });

  it('[I-8] survives clients that disconnect while they wait for the gateway', async () => {
    const { server, port } = await listening();
    let build = (): void => undefined;
    const built = new Promise<void>((resolve) => (build = resolve));
    const handlers = [() => built.then(() => ({}))];
    const attaching = attached(server, { routes: { events: { path: '/events', handlers } } });
    for (const headers of ['Upgrade: websocket\r\nConnection: Upgrade', 'Accept: text/event-stream']) {
      const socket = connect(port, '127.0.0.1');
      const [connection] = await once(server, 'connection');
      // Not `once` of node:events, because that would listen for the error as well.
      const broken = new Promise((resolve) => connection.once('close', resolve));
      const waiting = new Promise<void>((resolve) => {
        // The application never sees this request: once its bytes have been read, it waits in the gateway.
        const look = () => (connection.bytesRead > 0 ? setImmediate(resolve) : setTimeout(look, 5));
        look();
      });
      socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n\r\n`);
      await waiting;
      socket.resetAndDestroy();
      await broken;
    }
    const waiting = PlainClient.open(`ws://127.0.0.1:${port}/events`);
    build();
    const gateway = await attaching;
    const client = await waiting;
    await publish(gateway);
    expect(await client.numbers(1)).toEqual([1]);
  });

  it('restores the server and answers the waiting clients if the gateway cannot be created', async () => {
    const { server, port } = await listening();
    const [before] = server.listeners('request');
    const failing = attachGateway(server, options({ log: 'redis://127.0.0.1' }));
    const waiting = fetch(`http://127.0.0.1:${port}/events`);
    const upgrade = PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await expect(failing).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await (await waiting).text()).toBe('app: /events');
    await expect(upgrade).rejects.toThrow();
    expect(server.listeners('request')).toEqual([before]);
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('closes the gateway when the server closes, and no client keeps the server from closing', async () => {
    const { server, port } = await listening();
    await attached(server);
    const plain = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    const stock = await SocketIoClient.open(`http://127.0.0.1:${port}`, { reconnection: false });
    const disconnected = new Promise((resolve) => stock.socket.once('disconnect', resolve));
    const closed = new Promise((resolve) => server.close(resolve));
    expect((await plain.whenClosed()).code).toBe(4000);
    await closed;
    // Which of the two reasons the client reports depends on how much it had read; it reconnects after either.
    expect(await disconnected).toMatch(/^transport (close|error)$/);
    expect(server.listening).toBe(false);
  });

  it('returns a gateway that can close while the application goes on, so that another gateway can take its place', async () => {
    const { server, port } = await listening();
    await (await attached(server)).close({ spreadMs: 0 });
    expect(await (await fetch(`http://127.0.0.1:${port}/events`)).text()).toBe('app: /events');
    const again = await attached(server);
    const client = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await publish(again);
    expect(await client.numbers(1)).toEqual([1]);
  });

  it('[001-18] types the events that clients and server emit, and the answers', () => {
    interface Types {
      clientEvents: { bid: (amount: number, answer: (accepted: boolean) => void) => void };
      serverEvents: { outbid: (by: number) => void };
    }
    const make = () => attachGateway<Types>(createServer(), options());
    expectTypeOf(make).returns.resolves.toEqualTypeOf<Gateway<Types>>();
    expectTypeOf(createGateway<Types>).returns.resolves.toEqualTypeOf<Gateway<Types>>();
    (gateway: Gateway<Types>) => {
      gateway.io.emit('outbid', 7);
      // @ts-expect-error the server has no such event
      gateway.io.emit('bid', 7);
      gateway.io.on('connection', (socket) => socket.on('bid', (amount, answer) => answer(amount > 7)));
    };
  });
});
