import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, constants, createSecureServer } from 'node:http2';
import { attachGateway, createGateway, type Gateway, type GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { within } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';

const tls = (file: string) => readFileSync(new URL(`../../support/tls/${file}`, import.meta.url));

const options = () => ({ log: `sqlite:${temporaryFolder()}/log.db`, routes: { events: { path: '/events' } } });

async function start(
  access: GatewayOptions['access'] = 'public',
): Promise<{ gateway: Gateway; port: number; session: ClientHttp2Session }> {
  const server = createSecureServer(
    { cert: tls('cert.pem'), key: tls('key.pem'), allowHTTP1: true },
    (_request, response) => response.end('app'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = Number(Reflect.get(Object(server.address()), 'port'));
  const gateway = await attachGateway(server, { ...options(), access });
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  afterTest(async () => {
    session.destroy();
    await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
  });
  return { gateway, port, session };
}

/** Sends one request over HTTP/2; returns its status and the text received so far. */
async function ask(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
  const stream = session.request({ ':path': path, ...headers });
  let text = '';
  stream.setEncoding('utf8').on('data', (data) => (text += data));
  const [answer] = await within(once(stream, 'response'), 'an answer');
  const until = async (part: string) => {
    while (!text.includes(part)) await within(once(stream, 'data'), part);
  };
  return { status: answer[':status'], headers: answer, stream, until, text: () => text };
}

describe('An HTTP/2 server with an attached gateway', () => {
  it('[fault E4] carries several event streams and the requests of the application on one connection', async () => {
    const { gateway, session } = await start();
    const streams = await Promise.all(
      [1, 2, 3].map(() => ask(session, '/events', { accept: 'text/event-stream', origin: 'https://localhost' })),
    );
    for (const { status, until } of streams) {
      expect(status).toBe(200);
      await until('event: subscribed');
    }
    await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 7 } });
    for (const { until } of streams) await until('"n":7');
    // One stream ends, the others stay open.
    streams[0]?.stream.close(constants.NGHTTP2_CANCEL);
    await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 8 } });
    for (const { until } of streams.slice(1)) await until('"n":8');
    const home = await ask(session, '/');
    await home.until('app');
    const closed = gateway.close({ spreadMs: 0, timeoutMs: 2_000 });
    for (const { until } of streams.slice(1)) await until('event: closing');
    await closed;
  });

  it('[fault E4] refuses requests over HTTP/2 as over HTTP/1.1, and admits long polling', async () => {
    const { session } = await start();
    expect((await ask(session, '/events')).status).toBe(426);
    expect((await ask(session, '/events?since=x', { accept: 'text/event-stream' })).status).toBe(400);
    const foreign = { accept: 'text/event-stream', origin: 'https://evil.example' };
    expect((await ask(session, '/events', foreign)).status).toBe(403);
    const polled = await ask(session, '/socket.io/?EIO=4&transport=polling');
    expect(polled.status).toBe(200);
    await polled.until('"sid"');
  });

  it('[fault E4] refuses a page if :authority is a foreign host name (DNS rebinding)', async () => {
    const { session } = await start();
    const rebound = { accept: 'text/event-stream', 'sec-fetch-site': 'same-origin', ':authority': 'evil.example' };
    expect((await ask(session, '/events', rebound)).status).toBe(403);
  });

  it('[fault E4] carries WebSocket and Socket.IO over HTTP/1.1 on the same port', async () => {
    const { gateway, port } = await start();
    const plain = await PlainClient.open(`wss://127.0.0.1:${port}/events`, { rejectUnauthorized: false });
    await gateway.publish({ exchange: 'e', topic: 't', type: 'T', data: { n: 1 } });
    expect(await plain.numbers(1)).toEqual([1]);
    const stock = await SocketIoClient.open(`https://127.0.0.1:${port}/events`, {
      rejectUnauthorized: false,
      transports: ['websocket'],
      reconnection: false,
    });
    await stock.count('subscribed', 1);
  });

  it('[fault E4] must be a real server: attaching to any other value throws a TypeError', async () => {
    const gateway = await createGateway(options());
    afterTest(() => gateway.close({ spreadMs: 0 }));
    const none: unknown[] = [undefined, {}, () => {}, 8080];
    for (const value of none) {
      expect(() => Reflect.apply(gateway.attach, gateway, [value])).toThrow('is attached to a server of node:http');
      await expect(Reflect.apply(attachGateway, undefined, [value, options()])).rejects.toThrow(TypeError);
    }
  });
});
