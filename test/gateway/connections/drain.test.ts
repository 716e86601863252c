import { once } from 'node:events';
import { createServer } from 'node:http';
import { createGateway, openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { Inbox, within } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

describe('A gateway that closes', () => {
  it('tells each client its own moment to reconnect, in the form of its transport', async () => {
    const { gateway, ws, port } = await startGateway();
    const frames = await Promise.all(Array.from({ length: 40 }, () => FramesClient.open(ws('/events'))));
    const plain = await PlainClient.open(ws('/events'));
    const streams = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const raw = await RawSocket.open(port);
        raw.request('/events', { Accept: 'text/event-stream' });
        await raw.untilText('event: subscribed');
        return raw;
      }),
    );
    const closing = gateway.close({ spreadMs: 10_000 });
    const delays = await Promise.all(frames.map(async (client) => (await client.control('draining')).reconnectInMs));
    for (const raw of streams) {
      await raw.whenEnded();
      raw.socket.end();
      expect(raw.text.replaceAll(/\r\n[0-9a-f]+\r\n/g, '')).toMatch(
        /\n\nretry: \d+\n\nevent: closing\ndata: \{"code":4000,.*"reconnect":true\}\n\n\r\n$/,
      );
      delays.push(Number(/retry: (\d+)/.exec(raw.text)?.[1]));
    }
    for (const client of [...frames, plain]) expect((await client.whenClosed()).code).toBe(4000);
    expect(plain.messages.all).toEqual([]);
    expect(Math.min(...delays)).toBeLessThan(3_000);
    expect(Math.max(...delays)).toBeGreaterThan(7_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
    expect(new Set(delays).size).toBeGreaterThan(25);
    await closing;
  });

  it('delivers pending events to clients that read before it closes their connections', async () => {
    const { gateway, ws, append } = await startGateway();
    const client = await PlainClient.open(ws('/events'));
    await append(50);
    await client.events.count(1);
    await gateway.close({ spreadMs: 0 });
    await client.whenClosed();
    const numbersSeen = client.events.all.map(({ data }) => Object(data).n);
    expect(numbersSeen).toEqual(Array.from({ length: numbersSeen.length }, (_, i) => i + 1));
  });

  it('frees its port and log at once and is no longer ready; a second close returns the same promise', async () => {
    const { gateway, port, logFile, ws } = await startGateway();
    await PlainClient.open(ws('/events'));
    expect(gateway.notReady).toBeUndefined();
    const closing = gateway.close({ spreadMs: 0 });
    expect(gateway.notReady).toContain('going away');
    expect(gateway.close()).toBe(closing);
    await closing;
    const next = await startGateway({ logFile, listen: { port } });
    expect(next.port).toBe(port);
    await expect(gateway.publish({ exchange: 'e', topic: 't', type: 'T' })).rejects.toMatchObject({
      code: 'LOG_CLOSED',
    });
  });

  it('leaves a log open that was passed to it', async () => {
    const log = await openLog(`sqlite:${temporaryFolder()}/log.db`);
    afterTest(() => log.close());
    const gateway = await createGateway({ log, routes: { events: { path: '/events' } } });
    await gateway.close();
    await log.append([]);
    expect(await log.head()).toEqual(await log.floor());
  });

  it('answers a pending handshake with 503, and ends a connection that stays silent', async () => {
    const { gateway, port } = await startGateway();
    const holding = await RawSocket.open(port);
    await holding.upgrade('/events');
    const amid = await RawSocket.open(port);
    amid.write('GET /events HTTP/1.1\r\nHost: localhost\r\n');
    const silent = await RawSocket.open(port);
    const closing = gateway.close({ spreadMs: 0, timeoutMs: 1_500 });
    amid.write('Accept: */*\r\n\r\n');
    expect(await amid.head()).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n/s);
    await closing;
    await silent.whenEnded();
  });

  it('[I-2] gives no event stream a status that ends its reconnecting; the next gateway on the port gets the client back', async () => {
    const { gateway, logFile, port, http, append } = await startGateway();
    const holding = await RawSocket.open(port);
    await holding.upgrade('/events');
    const stream = await StreamClient.open(http('/events'));
    await append(1);
    await stream.events.count(1);
    const closing = gateway.close({ spreadMs: 0, timeoutMs: 1_500 });
    // The client was told to reconnect at once, while the port is still open.
    await stream.failures.count(3);
    await closing;
    await startGateway({ logFile, listen: { port } });
    await append(1);
    expect(await stream.numbers(2)).toEqual([1, 2]);
    expect(new Set(stream.failures.all)).toEqual(new Set([undefined]));
  });

  it('waits for the event that a subscriber is handling, and passes it no further event', async () => {
    const handled = new Inbox<string>();
    let finish = () => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { gateway, append } = await startGateway({
      subscribers: [
        ({ publish }) => ({
          events: ['WasNumbered'],
          async handle(event) {
            handled.push(event.id);
            await gate;
            await publish({ exchange: 'e', topic: 't', type: 'WasHandled' });
            handled.push('published');
          },
        }),
      ],
    });
    await append(10);
    await handled.count(1);
    const closing = gateway.close({ spreadMs: 0 });
    finish();
    await closing;
    expect(handled.all).toEqual(['events-1', 'published']);
  });
});

describe('A gateway that closes while clients do not', () => {
  it('[I-8] ends within timeoutMs although some clients never read, answer or end; its process then exits by itself', async () => {
    const logFile = `${temporaryFolder()}/log.db`;
    const { append } = await startGateway({ logFile });
    await append(5_000, { padding: 4_000 });
    const process = await GatewayProcess.start({ log: `sqlite:${logFile}` });
    const rude = await Promise.all(Array.from({ length: 4 }, () => RawSocket.open(process.port)));
    await rude[0]?.upgrade('/events?since=first');
    rude[1]?.request('/events?since=first', { Accept: 'text/event-stream' });
    await rude[2]?.upgrade('/events', { 'Sec-WebSocket-Protocol': 'pregon.v1' });
    await rude[3]?.upgrade('/nowhere');
    for (const { socket } of rude) socket.pause();
    await expect.poll(() => process.connections()).toBe(3);
    expect(await process.close({ spreadMs: 0, timeoutMs: 500 })).toBeLessThan(20_000);
    expect(await within(process.exited, 'the process to end by itself')).toEqual({ code: 0, signal: null });
  });

  it('[I-8] lets its process exit by itself if all clients read, and if no client ever came', async () => {
    for (const clients of [0, 1]) {
      const process = await GatewayProcess.start({ log: `sqlite:${temporaryFolder()}/log.db` });
      const stream = clients === 0 ? undefined : await StreamClient.open(process.http('/events'));
      const frames = clients === 0 ? undefined : await FramesClient.open(process.ws('/events'));
      await process.close({ spreadMs: 0 });
      stream?.source.close();
      await frames?.whenClosed();
      expect(await within(process.exited, 'the process to end by itself')).toEqual({ code: 0, signal: null });
    }
  });

  it('[I-7] leaves no connection behind on a server that it was attached to', async () => {
    const server = createServer((_request, response) => response.end('app')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const gateway = await createGateway({
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events' } },
    });
    gateway.attach(server);
    const rude = await Promise.all(Array.from({ length: 2 }, () => RawSocket.open(port)));
    await rude[0]?.upgrade('/events');
    rude[1]?.request('/events', { Accept: 'text/event-stream' });
    await rude[1]?.head();
    for (const { socket } of rude) socket.pause();
    await gateway.close({ spreadMs: 0, timeoutMs: 300 });
    const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });
});
