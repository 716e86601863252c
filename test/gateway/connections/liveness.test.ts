import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { untilAtHead } from '../../support/gateway/frames-client.js';
import { appender, numbers, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { within } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { eventually } from '../../support/waiting.js';

describe('An idle connection', () => {
  it('[001-12] is pinged, and stays open as long as it answers', async () => {
    const { ws, append } = await startGateway({ heartbeatMs: 100 });
    const client = await PlainClient.open(ws('/events'));
    await untilPinged(client, 6);
    await append(1);
    expect(await client.numbers(1)).toEqual([1]);
  });

  it('[001-12][I-8] is closed with 4001 if it is half open and answers no ping; other connections stay open', async () => {
    const { ws, port, gateway } = await startGateway({ heartbeatMs: 100 });
    const client = await PlainClient.open(ws('/events'));
    for (const protocol of [undefined, 'pregon.v1']) {
      const raw = await RawSocket.open(port);
      await raw.upgrade('/events', protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol });
      const begun = performance.now();
      expect(await raw.closeFrame()).toEqual({ code: 4001, reason: 'no answer to a ping' });
      expect(performance.now() - begun).toBeGreaterThan(200);
      expect(performance.now() - begun).toBeLessThan(10_000);
    }
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 1,
    );
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('counts as alive after any sign: an unsolicited pong, a ping of its own, or a message', async () => {
    const { port } = await startGateway({ heartbeatMs: 100 });
    for (const opcode of [OPCODE.pong, OPCODE.ping, OPCODE.text]) {
      const raw = await RawSocket.open(port);
      await raw.upgrade('/events');
      const signs = setInterval(() => raw.write(clientFrame(opcode, 'x')), 50);
      afterTest(() => clearInterval(signs));
      for (let pings = 0; pings < 6; ) {
        const { opcode: received } = await raw.frame();
        expect(received).not.toBe(OPCODE.close);
        if (received === OPCODE.ping) pings += 1;
      }
      raw.socket.destroy();
    }
  });
});

describe('A gateway process that is suspended for longer than clients may be silent', () => {
  it('[001-12][I-8] closes no connection when it goes on, because the silence was its own', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    await append(3_000, { padding: 4_000 });
    const gateway = await GatewayProcess.start({ log: `sqlite:${logFile}`, heartbeatMs: 600, stallTimeoutMs: 3_000 });
    const client = await PlainClient.open(gateway.ws('/events'));
    const slow = await PlainClient.open(gateway.ws('/events?since=first'));
    slow.socket.pause();
    await untilPinged(client, 2);
    gateway.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    gateway.signal('SIGCONT');
    await untilPinged(client, 2);
    expect(await gateway.connections()).toBe(2);
    slow.socket.resume();
    expect(await slow.numbers(3_000)).toEqual(numbers(1, 3_000));
  });
});

describe('A connection that reads nothing while bytes wait for it', () => {
  const heavy = { count: 3_000, padding: 4_000 };

  it('[I-7] is kept until it has taken nothing for stallTimeoutMs, and then closed with 4002', async () => {
    const started = await startGateway({ heartbeatMs: 200, stallTimeoutMs: 1_000 });
    const { ws, port, append, gateway } = started;
    await append(heavy.count, heavy);
    await untilAtHead(started);
    const client = await PlainClient.open(ws('/events'));
    const raw = await RawSocket.open(port);
    await raw.upgrade('/events?since=first');
    raw.socket.pause();
    const pausedAt = performance.now();
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 1,
    );
    expect(performance.now() - pausedAt).toBeGreaterThan(1_000);
    raw.socket.resume();
    await raw.whenEnded();
    await append(1);
    expect(await client.numbers(1)).toEqual([heavy.count + 1]);
  });

  it('[I-7] is closed after stallTimeoutMs if it is an event stream, too', async () => {
    const { port, append, gateway } = await startGateway({ heartbeatMs: 100, stallTimeoutMs: 300 });
    await append(heavy.count, heavy);
    const raw = await RawSocket.open(port);
    raw.request('/events?since=first', { Accept: 'text/event-stream' });
    await raw.head();
    raw.socket.pause();
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 0,
      6_000,
    );
  });

  it('[I-2] is kept and gets all events if it reads again after many heartbeats', async () => {
    const { ws, append } = await startGateway({ heartbeatMs: 200, stallTimeoutMs: 20_000 });
    await append(heavy.count, heavy);
    const client = await PlainClient.open(ws('/events?since=first'));
    client.socket.pause();
    const other = await PlainClient.open(ws('/events'));
    await untilPinged(other, 8);
    expect(client.events.all.length).toBeLessThan(heavy.count);
    client.socket.resume();
    expect(await client.numbers(heavy.count)).toEqual(numbers(1, heavy.count));
    await untilPinged(other, 4);
    await append(1);
    expect(await client.numbers(heavy.count + 1)).toEqual(numbers(1, heavy.count + 1));
  });

  it('[I-2] is kept and gets all events also if all waiting bytes are in the buffers of the operating system', async () => {
    const { ws, append } = await startGateway({ heartbeatMs: 200, stallTimeoutMs: 20_000 });
    await append(100, heavy);
    const client = await PlainClient.open(ws('/events?since=first'));
    client.socket.pause();
    const other = await PlainClient.open(ws('/events'));
    await untilPinged(other, 8);
    expect(client.events.all.length).toBeLessThan(100);
    client.socket.resume();
    expect(await client.numbers(100)).toEqual(numbers(1, 100));
    await untilPinged(other, 4);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('[I-7] is not stalled if it takes a little now and then', async () => {
    const { port, append, gateway } = await startGateway({ heartbeatMs: 100, stallTimeoutMs: 500 });
    await append(heavy.count, heavy);
    const raw = await RawSocket.open(port);
    await raw.upgrade('/events?since=first');
    raw.socket.pause();
    const begun = performance.now();
    while (performance.now() - begun < 2_000) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(gateway.connections('events').count).toBe(1);
      raw.socket.resume();
      await within(new Promise((resolve) => raw.socket.once('data', resolve)), 'something to read');
      raw.socket.pause();
    }
  });
});

/** Waits for this many more heartbeats. */
function untilPinged({ socket }: PlainClient, times: number): Promise<void> {
  let left = times;
  const pinged = new Promise<void>((resolve) => {
    socket.on('ping', () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
  return within(pinged, `${times} pings`);
}
