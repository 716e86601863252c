import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import express from 'express';
import { attachGateway, createGateway } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';

const options = () => ({ log: `sqlite:${temporaryFolder()}/log.db`, routes: { events: { path: '/events' } } });

/** The headers that `curl --http2` and Java's HttpClient send with each request over plain HTTP. */
const H2C = {
  Connection: 'Upgrade, HTTP2-Settings',
  Upgrade: 'h2c',
  'HTTP2-Settings': 'AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA',
};

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

async function attachTo(handler: Handler): Promise<{ server: ReturnType<typeof createServer>; port: number }> {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gateway = await attachGateway(server, options());
  afterTest(async () => {
    await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return { server, port: address.port };
}

function echo() {
  const app = express();
  app.get('/users', (_request, response) => void response.send('users'));
  app.post('/users', express.json(), (request, response) => void response.status(201).json(request.body));
  return app;
}

/** Waits for a response whose body contains this text, and returns its status code. */
async function answer(raw: RawSocket, body: string): Promise<string> {
  const head = await raw.head();
  await raw.untilText(body);
  return head.slice(9, 12);
}

describe('A request that asks for an upgrade to something other than WebSocket', () => {
  for (const headers of [
    H2C,
    { Connection: 'upgrade', Upgrade: 'TLS/1.0' },
    { Connection: 'Upgrade', Upgrade: 'a, websocket' },
  ]) {
    it(`[fault E1] reaches the application beside the gateway (Upgrade: ${headers.Upgrade})`, async () => {
      const { port } = await attachTo(echo());
      const raw = await RawSocket.open(port);
      raw.request('/users', headers);
      expect(await answer(raw, 'users')).toBe('200');
      await raw.untilText('users');
    });
  }

  it('is refused if it has more headers than Node.js passes on, because its Content-Length may be among the missing ones', async () => {
    const { port } = await attachTo((request, response) => response.end(`answered ${request.url}`));
    const raw = await RawSocket.open(port);
    const hidden = 'GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const many = 'a:\r\n'.repeat(1_100);
    const upgrade = 'Connection: upgrade\r\nUpgrade: h2c\r\n';
    raw.write(
      Buffer.from(
        `POST /users HTTP/1.1\r\nHost: localhost\r\n${upgrade}${many}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
      ),
    );
    expect((await raw.head()).slice(9, 12)).toBe('431');
  });

  it('[fault E1] keeps its body, whole or in pieces, and the connection can be used again', async () => {
    const { port } = await attachTo(echo());
    const json = { ...H2C, 'Content-Type': 'application/json' };
    for (const pieces of [['{"a":"b"}'], ['{"a"', ':"b"}']]) {
      const raw = await RawSocket.open(port);
      for (let i = 0; i < 3; i += 1) {
        raw.request('/users', { ...json, 'Content-Length': '9' }, 'POST');
        for (const piece of pieces) {
          raw.write(piece);
          await new Promise(setImmediate);
        }
        expect(/HTTP\/1.1 (\d+)/.exec(await raw.head())?.[1]).toBe('201');
      }
      raw.request('/users', { ...json, 'Transfer-Encoding': 'chunked' }, 'POST');
      raw.write('9\r\n{"a":"b"}\r\n0\r\n\r\n');
      expect(/HTTP\/1.1 (\d+)/.exec(await raw.head())?.[1]).toBe('201');
      raw.request('/users');
      expect(/HTTP\/1.1 (\d+)/.exec(await raw.head())?.[1]).toBe('200');
      await raw.untilText('users');
    }
  });

  it('[fault E1] keeps a body that the client sends after 100-continue', async () => {
    const { port } = await attachTo(echo());
    const raw = await RawSocket.open(port);
    raw.request(
      '/users',
      { ...H2C, 'Content-Type': 'application/json', 'Content-Length': '9', Expect: '100-continue' },
      'POST',
    );
    expect((await raw.head()).slice(9, 12)).toBe('100');
    raw.write('{"a":"b"}');
    expect((await raw.head()).slice(9, 12)).toBe('201');
  });

  it('[fault E1] is answered after the requests that were pipelined before it', async () => {
    let release = (): void => undefined;
    const { port } = await attachTo((request, response) => {
      if (request.url === '/first') release = () => response.end('first');
      else response.end(request.url);
    });
    const raw = await RawSocket.open(port);
    raw.request('/first');
    raw.request('/second', H2C);
    raw.request('/third');
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    await raw.untilText('/third');
    expect(raw.text.match(/first|\/second|\/third/g)).toEqual(['first', '/second', '/third']);
  });

  it('[fault E1] reaches the application once, on the socket that the application already knows', async () => {
    const connections: unknown[] = [];
    const seen: [string | undefined, string | undefined, unknown][] = [];
    const { server, port } = await attachTo((request, response) => {
      seen.push([request.headers.upgrade, request.headers.connection, request.socket]);
      response.end('app');
    });
    server.on('connection', (socket) => connections.push(socket));
    const raw = await RawSocket.open(port);
    raw.request('/', { ...H2C, Connection: 'keep-alive, Upgrade, HTTP2-Settings' });
    expect(await answer(raw, 'app')).toBe('200');
    expect(seen).toEqual([[undefined, 'keep-alive', connections[0]]]);
    expect(connections).toHaveLength(1);
  });

  it('[fault E1] goes to the upgrade listeners of the application if there are any', async () => {
    const { server, port } = await attachTo(echo());
    server.on('upgrade', (request, socket) =>
      socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${request.headers.upgrade}`),
    );
    const raw = await RawSocket.open(port);
    raw.request('/users', H2C);
    expect(await answer(raw, 'h2c')).toBe('101');
  });

  for (const [where, start] of [
    ['a server with an attached gateway', async () => (await attachTo(echo())).port],
    [
      'the port of a gateway',
      async () => {
        const gateway = await createGateway(options());
        afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
        return (await gateway.listen({ port: 0 })).port;
      },
    ],
  ] as const) {
    it(`[fault E1] can open an event stream and use long polling on ${where}`, async () => {
      const port = await start();
      const stream = await RawSocket.open(port);
      stream.request('/events', { ...H2C, Accept: 'text/event-stream' });
      expect((await stream.head()).slice(9, 12)).toBe('200');
      await stream.untilText('event: subscribed');
      const polling = await RawSocket.open(port);
      polling.request('/socket.io/?EIO=4&transport=polling', H2C);
      expect(await answer(polling, 'sid')).toBe('200');
      await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    });
  }
});
