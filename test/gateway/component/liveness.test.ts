import { createServer } from 'node:http';
import { createComponentServer } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { RecordingComponent, serveComponent } from '../../support/gateway/applications/recording-component.js';
import { within } from '../../support/gateway/inbox.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { eventually } from '../../support/waiting.js';

const MIB = 1_048_576;

/** No rate limits, because they would slow the client down before the limit under test applies. */
const UNLIMITED = { maxFramesPerSecond: 0, maxIncomingBytesPerSecond: 0 };

describe('An idle connection of a component', () => {
  it('[001-12] is pinged, and stays open as long as it answers', async () => {
    const component = new RecordingComponent();
    const { ws } = await serveComponent(component, {}, { heartbeatMs: 100 });
    const client = await PlainClient.open(ws('/chat'));
    await untilPinged(client, 6);
    expect((await component.connection()).isOpen).toBe(true);
  });

  it('[001-12][I-8] is closed with 4001 if it answers no ping; other connections stay open', async () => {
    const component = new RecordingComponent();
    const { ws, port } = await serveComponent(component, {}, { heartbeatMs: 100 });
    await PlainClient.open(ws('/chat'));
    const raw = await RawSocket.open(port);
    await raw.upgrade('/chat');
    expect((await raw.frame()).opcode).toBe(OPCODE.ping);
    expect(await raw.closeFrame()).toEqual({ code: 4001, reason: 'no answer to a ping' });
    // The client sends no close frame either, and the server does not wait for one.
    await component.called('onClose');
    expect((await component.connection()).isOpen).toBe(true);
  });
});

describe('A connection of a component that reads nothing', () => {
  it('[I-7][I-8] is closed by the first send that finds more bytes waiting than the limit', async () => {
    const component = new RecordingComponent();
    const { ws, port } = await serveComponent(component, { maxBufferedBytes: 2 * MIB });
    const reading = await PlainClient.open(ws('/chat'));
    const raw = await RawSocket.open(port);
    await raw.upgrade('/chat');
    raw.socket.pause();
    const [healthy, stuck] = (await component.called('onOpen', 2)).map(({ connection }) => connection);
    const before = process.memoryUsage().arrayBuffers;
    let sent = 0;
    await eventually(
      () => {
        for (let i = 0; i < 100 && stuck?.send(Buffer.alloc(10_000)); i++) sent += 1;
        return stuck?.isOpen;
      },
      (isOpen) => isOpen === false,
    );
    expect(sent).toBeGreaterThan(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
    expect(stuck?.send('more')).toBe(false);
    expect(healthy?.send('hello')).toBe(true);
    expect(await reading.messages.count(1)).toEqual(['hello']);
    const [closed] = await component.called('onClose');
    expect(closed?.connection).toBe(stuck);
  });

  it('[I-7] gets close code 4002 and the reason once it reads again', async () => {
    const component = new RecordingComponent();
    const { ws } = await serveComponent(component, { maxBufferedBytes: 100_000 });
    const client = await PlainClient.open(ws('/chat'));
    client.socket.pause();
    const connection = await component.connection();
    // One message may be larger than the limit; the next message exceeds it.
    expect(connection.send(Buffer.alloc(20 * MIB))).toBe(true);
    expect(connection.send('more')).toBe(false);
    expect(connection.isOpen).toBe(false);
    client.socket.resume();
    expect(await client.whenClosed()).toEqual({ code: 4002, reason: 'more than 100000 bytes wait to be read' });
    expect(client.messages.all.map(({ length }) => length)).toEqual([20 * MIB]);
  });

  it('[I-7] is closed with 4002 if it takes nothing for stallTimeoutMs, although nothing more is sent', async () => {
    const component = new RecordingComponent();
    const { port } = await serveComponent(component, {}, { heartbeatMs: 100, stallTimeoutMs: 300 });
    const raw = await RawSocket.open(port);
    await raw.upgrade('/chat');
    raw.socket.pause();
    expect((await component.connection()).send(Buffer.alloc(20 * MIB))).toBe(true);
    const [closed] = await component.called('onClose');
    expect(closed?.connection.isOpen).toBe(false);
    raw.socket.resume();
    await raw.whenEnded();
  });

  it('[I-7] is closed if it sends pings without end, because the pongs would wait for ever', async () => {
    const component = new RecordingComponent();
    const { port } = await serveComponent(component, {}, UNLIMITED);
    const { stop } = await pingWithoutEnd(port);
    await component.called('onClose');
    stop();
  });

  it('[I-7] costs no memory if it sends pings without end: the excess stays in its own socket', async () => {
    const component = new RecordingComponent({ onMessage: (one, data) => one.send(data) });
    const { port, ws } = await serveComponent(component, {}, { ...UNLIMITED, maxFramesPerSecond: 4_000 });
    const before = process.memoryUsage().arrayBuffers;
    const { raw, stop } = await pingWithoutEnd(port);
    await eventually(
      () => raw.socket.writableLength,
      (bytes) => bytes > 10 * MIB,
    );
    const other = await PlainClient.open(ws('/chat'));
    // Enough event loop turns to read far more than the limit, if the gateway did read it.
    for (let i = 1; i <= 500; i++) {
      other.socket.send('still here?');
      await other.messages.count(i);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
    stop();
  });
});

/** Floods the gateway with pings and reads nothing. */
async function pingWithoutEnd(port: number): Promise<{ raw: RawSocket; stop: () => void }> {
  const raw = await RawSocket.open(port);
  await raw.upgrade('/chat');
  raw.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => clientFrame(OPCODE.ping, 'x'.repeat(125))));
  const flood = setInterval(() => raw.socket.writable && raw.write(pings), 1);
  const stop = () => clearInterval(flood);
  afterTest(stop);
  return { raw, stop };
}

describe('A client that sends faster than the component can work', () => {
  it('[I-7] is not read while a hundred calls are pending, and loses nothing', async () => {
    const waiting: (() => void)[] = [];
    const component = new RecordingComponent({
      onMessage: (connection, data) => {
        if (data === 'echo') return connection.send(data);
        return new Promise<void>((resolve) => waiting.push(resolve));
      },
    });
    const { ws } = await serveComponent(component, {}, UNLIMITED);
    const client = await PlainClient.open(ws('/chat'));
    const other = await PlainClient.open(ws('/chat'));
    const total = 2_000;
    for (let i = 0; i < total; i++) client.socket.send(`${i}`.padEnd(60_000));
    await component.called('onMessage', 100);
    // Enough time for all messages to arrive, if the server did read them.
    for (let i = 1; i <= 500; i++) {
      other.socket.send('echo');
      await other.messages.count(i);
    }
    // Messages that had been read already are handed over; the rest stays in the socket.
    expect(waiting.length).toBeLessThan(200);
    expect(client.socket.bufferedAmount).toBeGreaterThan(10 * MIB);
    await eventually(
      () => {
        for (const done of waiting.splice(0)) done();
        return component.calls.all.length;
      },
      (count) => count === total + 502,
    );
    const received = (await component.called('onMessage', total + 500)).map(({ data }) => data);
    const numbers = received.filter((data) => data !== 'echo').map(Number);
    expect(numbers).toEqual(Array.from({ length: total }, (_, i) => i));
  });
});

describe('A component server that closes', () => {
  it('admits no new connection, closes all connections with 4000, and waits until they have ended', async () => {
    const component = new RecordingComponent();
    const components = createComponentServer().mount('/chat', component);
    const { port } = await components.listen({ port: 0 });
    const clients = [1, 2, 3].map(() => PlainClient.open(`ws://127.0.0.1:${port}/chat`));
    const opened = await Promise.all(clients);
    await component.called('onOpen', 3);
    await components.close();
    expect(component.methods.filter((method) => method === 'onClose')).toHaveLength(3);
    for (const client of opened) {
      expect(await client.whenClosed()).toEqual({ code: 4000, reason: 'the gateway is going away' });
    }
    await expect(PlainClient.open(`ws://127.0.0.1:${port}/chat`)).rejects.toThrow('ECONNREFUSED');
  });

  it('answers 503 on the server that it is attached to while it waits', async () => {
    const component = new RecordingComponent();
    const server = createServer();
    const components = createComponentServer().mount('/chat', component);
    components.attach(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterTest(() => server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
    const mute = await RawSocket.open(address.port);
    await mute.upgrade('/chat');
    const closing = components.close();
    expect((await refusal(`ws://127.0.0.1:${address.port}/chat`)).statusCode).toBe(503);
    await within(closing, 'the connection of the mute client to be given up');
    await component.called('onClose');
  });

  it('takes no longer than timeoutMs', async () => {
    const component = new RecordingComponent();
    const server = createComponentServer().mount('/chat', component);
    const { port } = await server.listen({ port: 0 });
    const mute = await RawSocket.open(port);
    await mute.upgrade('/chat');
    const begun = performance.now();
    await server.close({ timeoutMs: 100 });
    expect(performance.now() - begun).toBeLessThan(20_000);
    await mute.whenEnded();
  });
});

async function untilPinged(client: PlainClient, count: number): Promise<void> {
  let pings = 0;
  await within(
    new Promise<void>((resolve) => {
      client.socket.on('ping', () => {
        pings += 1;
        if (pings === count) resolve();
      });
    }),
    `${count} pings`,
  );
}
