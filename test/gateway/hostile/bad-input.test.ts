import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { appender, numbers, openTestLog, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';

const V1 = { 'Sec-WebSocket-Protocol': 'pregon.v1' };

/** A well-behaved connection, which must get every event whatever the other connections do. */
async function bystanderOf({ ws, append }: TestGateway): Promise<{ isServed(): Promise<void> }> {
  const client = await PlainClient.open(ws('/events'));
  let count = 0;
  return {
    async isServed() {
      count += 1;
      await append(1);
      expect(await client.numbers(count)).toEqual(numbers(1, count));
      expect(client.socket.readyState).toBe(WebSocket.OPEN);
    },
  };
}

describe('A gateway that checks frames by RFC 6455', () => {
  const broken: [string, number, Buffer][] = [
    ['unmasked', 1002, clientFrame(OPCODE.text, 'hello', { mask: false })],
    ['text that is not UTF-8', 1007, clientFrame(OPCODE.text, Buffer.from([0xff, 0xfe, 0xc3, 0x28]))],
    ['a reserved opcode', 1002, clientFrame(0x3, 'x')],
    ['reserved bits set', 1002, Buffer.concat([Buffer.from([0xc1]), clientFrame(OPCODE.text, 'x').subarray(1)])],
    ['a continuation without a first frame', 1002, clientFrame(0x0, 'x')],
    ['a control frame of 126 bytes', 1002, clientFrame(OPCODE.ping, 'x'.repeat(126))],
    ['a close frame of one byte', 1002, clientFrame(OPCODE.close, 'x')],
    ['a close code that may not be sent', 1002, clientFrame(OPCODE.close, Buffer.from([0x03, 0xed]))],
    ['2 MB in one frame', 1009, clientFrame(OPCODE.text, 'x'.repeat(2_000_000))],
    ['a frame that declares 2^62 bytes', 1009, Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
  ];

  for (const headers of [{}, V1]) {
    const protocol = 'Sec-WebSocket-Protocol' in headers ? 'pregon.v1' : 'plain';
    it(`[I-8] closes only the connection of an invalid frame, with the proper code (${protocol})`, async () => {
      const gateway = await startGateway();
      const bystander = await bystanderOf(gateway);
      for (const [name, code, bytes] of broken) {
        const raw = await RawSocket.open(gateway.port);
        await raw.upgrade('/events', headers);
        raw.write(bytes);
        expect([name, (await raw.closeFrame()).code]).toEqual([name, code]);
        await raw.whenEnded();
        await bystander.isServed();
      }
    });
  }

  it('[I-8] closes a connection with 1009 if many fragments add up to 2 MB', async () => {
    const gateway = await startGateway();
    const bystander = await bystanderOf(gateway);
    const raw = await RawSocket.open(gateway.port);
    await raw.upgrade('/events', V1);
    const fragment = clientFrame(OPCODE.text, 'x'.repeat(100_000));
    fragment[0] = OPCODE.text;
    raw.write(fragment);
    for (let i = 0; i < 20; i++) {
      const next = clientFrame(0x0, 'x'.repeat(100_000));
      next[0] = 0;
      raw.write(next);
    }
    expect((await raw.closeFrame()).code).toBe(1009);
    await bystander.isServed();
  });

  it('[I-8] accepts a frame of maxFrameBytes, but not one byte more', async () => {
    const { ws } = await startGateway({ maxFrameBytes: 1_000 });
    const frame = (size: number) => JSON.stringify({ op: 'ping', padding: 'x'.repeat(size) });
    const overhead = frame(0).length;
    const client = await FramesClient.open(ws('/events'));
    await client.ask(frame(1_000 - overhead), 'pong');
    client.sendText(frame(1_001 - overhead));
    expect((await client.whenClosed()).code).toBe(1009);
  });

  it('[I-8] sends a close frame, and nothing after it, during heavy delivery', async () => {
    const gateway = await startGateway();
    const bystander = await PlainClient.open(gateway.ws('/events'));
    const writing = gateway.append(20_000, { padding: 300 });
    for (let round = 0; round < 10; round++) {
      const raw = await RawSocket.open(gateway.port);
      await raw.upgrade('/events?since=first');
      await raw.frame();
      raw.write(clientFrame(OPCODE.text, Buffer.from([0xff])));
      expect((await raw.closeFrame()).code).toBe(1007);
      await raw.whenEnded();
      await expect(raw.frame(1)).rejects.toThrow();
    }
    await writing;
    expect(await bystander.numbers(20_000)).toEqual(numbers(1, 20_000));
  });

  it('[I-8] answers the close frame of a client during heavy delivery', async () => {
    const gateway = await startGateway();
    const writing = gateway.append(20_000, { padding: 300 });
    for (let round = 0; round < 10; round++) {
      const client = await PlainClient.open(gateway.ws('/events?since=first'));
      await client.events.count(10);
      client.socket.close(1000, 'enough');
      expect(await client.whenClosed()).toEqual({ code: 1000, reason: 'enough' });
    }
    await writing;
  });
});

describe('Too many valid requests', () => {
  it('[I-8] are refused one by one: of 10,000 subscriptions a hundred are open', async () => {
    const gateway = await startGateway({ maxFramesPerSecond: 0, maxSubscribesPerSecond: 0 });
    const bystander = await bystanderOf(gateway);
    const client = await FramesClient.open(gateway.ws('/events'));
    for (let id = 0; id < 10_000; id++) client.send({ op: 'subscribe', id, topics: [`n.${id}`] });
    await client.frames.until(() => client.frames.all.length === 10_001, 'an answer to each');
    expect(client.controls('error')).toHaveLength(9_900);
    expect(client.controls('subscribed')).toHaveLength(100);
    expect(new Set(client.controls('error').map(({ code }) => code))).toEqual(new Set(['TOO_MANY_SUBSCRIPTIONS']));
    expect(client.controls('error').map(({ id }) => id)).toEqual(numbers(100, 9_999));
    await bystander.isServed();
    expect(await client.numbers(1, 1)).toEqual([1]);
    await client.ask('{"op":"unsubscribe","id":5}', 'unsubscribed');
    expect(await client.subscribe({ id: 5 })).toMatchObject({ op: 'subscribed' });
  });

  it('[I-8] end their connection: a request after an event stream ends it, and no stream begins after another request', async () => {
    const gateway = await startGateway();
    const bystander = await bystanderOf(gateway);
    const stream = 'GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n';
    const page = 'GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n';
    for (const requests of [stream + stream, stream + page.repeat(1_000), page + stream, page.repeat(3) + stream]) {
      const raw = await RawSocket.open(gateway.port);
      raw.write(requests);
      await raw.whenEnded();
      expect(gateway.gateway.connections('events').count).toBe(1);
      await bystander.isServed();
    }
  });
});

describe('A client that only sends and never reads', () => {
  it('[I-7][I-8] is no longer read, or is closed, once its answers are not taken: pings, sends, invalid frames', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const gateway = await GatewayProcess.start({ log: `sqlite:${logFile}` });
    const bystander = await PlainClient.open(gateway.ws('/events'));
    const before = await gateway.memory();
    const floods: [Record<string, string>, Buffer][] = [
      [{}, clientFrame(OPCODE.ping, 'x'.repeat(125))],
      [V1, clientFrame(OPCODE.text, '{"op":"ping"}')],
      [V1, clientFrame(OPCODE.text, 'not JSON')],
      [V1, clientFrame(OPCODE.text, '{"op":"send","id":1,"name":"nobody"}')],
    ];
    for (const [headers, frame] of floods) {
      const raw = await RawSocket.open(gateway.port);
      await raw.upgrade('/events', headers);
      raw.socket.pause();
      const much = Buffer.concat(Array.from({ length: 2_000 }, () => frame));
      // Bytes written here wait in this process unless the gateway takes them: 100 MB, of which it may take only a
      // little.
      const goal = Math.ceil(100_000_000 / much.length);
      for (let i = 0; i < goal; i++) raw.write(much);
      await append(1);
      await bystander.events.count(bystander.events.all.length + 1);
      expect(raw.socket.destroyed ? goal * much.length : raw.socket.writableLength).toBeGreaterThan(50_000_000);
      expect((await gateway.memory()) - before).toBeLessThan(48 * 1_048_576);
      raw.socket.destroy();
    }
  });
});

describe('Random bytes', () => {
  it('[I-8] in place of the handshake, after it, and within masked frames disturb no other client and end no process', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const gateway = await GatewayProcess.start({ log: `sqlite:${logFile}`, handshakeTimeoutMs: 500 });
    const bystander = await PlainClient.open(gateway.ws('/events'));
    let count = 0;
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array));
    const where = fc.constantFrom('instead', 'after', 'frame', 'v1 after', 'v1 frame', 'v1 text', 'stream');
    await fc.assert(
      fc.asyncProperty(where, fc.array(bytes, { minLength: 1, maxLength: 5 }), async (place, chunks) => {
        const raw = await RawSocket.open(gateway.port);
        await begin(raw, place);
        for (const chunk of chunks) raw.write(place.endsWith('frame') ? frameOf(chunk) : textOf(place, chunk));
        raw.socket.end();
        await raw.whenEnded();
        count += 1;
        if (count % 10 === 0) await append(1);
      }),
      { numRuns: 300 },
    );
    const events = Math.floor(count / 10);
    expect(await bystander.numbers(events)).toEqual(numbers(1, events));
    expect(bystander.socket.readyState).toBe(WebSocket.OPEN);
    expect(gateway.isRunning).toBe(true);
    await expect.poll(() => gateway.connections(), { timeout: 5_000 }).toBe(1);
  });

  it('[I-8] in JSON-like control frames get at most one answer each, or change a subscription', async () => {
    const { ws } = await startGateway();
    let client = await FramesClient.open(ws('/events'));
    let count = 0;
    const value = fc.oneof(
      fc.constantFrom('subscribe', 'unsubscribe', 'send', 'ping', 'first', '#', 'a.b', '', 'op', '__proto__'),
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer({ min: 0, max: 3 }),
      fc.constant(['#']),
    );
    const frame = fc.dictionary(fc.constantFrom('op', 'id', 'topics', 'since', 'snapshot', 'name', 'data'), value);
    await fc.assert(
      fc.asyncProperty(fc.oneof(frame, value), async (sent) => {
        // A connection is closed after about twenty unreadable frames.
        if (count++ % 15 === 14) client = await FramesClient.open(ws('/events'));
        client.sendText(JSON.stringify(sent));
        await client.ask('{"op":"ping"}', 'pong');
        expect(client.socket.readyState).toBe(WebSocket.OPEN);
      }),
      { numRuns: 500 },
    );
  });
});

type Place = 'instead' | 'after' | 'frame' | 'v1 after' | 'v1 frame' | 'v1 text' | 'stream';

async function begin(raw: RawSocket, place: Place): Promise<void> {
  if (place === 'instead') return;
  if (place === 'stream') {
    raw.request('/events', { Accept: 'text/event-stream' });
    await raw.head();
    return;
  }
  await raw.upgrade('/events', place.startsWith('v1') ? V1 : {});
}

/** A well-formed frame of a random kind. */
function frameOf(payload: Buffer): Buffer {
  const opcode = [OPCODE.text, OPCODE.binary, OPCODE.ping, OPCODE.pong, OPCODE.close, 0][
    randomBytes(1).readUInt8() % 6
  ];
  return clientFrame(opcode ?? OPCODE.text, opcode !== undefined && opcode >= 8 ? payload.subarray(0, 125) : payload);
}

function textOf(place: Place, payload: Buffer): Buffer {
  return place === 'v1 text' ? clientFrame(OPCODE.text, payload.toString('utf8')) : payload;
}
