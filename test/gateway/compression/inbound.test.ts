import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { Inbox, within } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { eventually } from '../../support/waiting.js';

const MIB = 1_048_576;

const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };

function deflated(text: string | Buffer): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

const compressed = (payload: Buffer) => clientFrame(OPCODE.text, payload, { compressed: true });

/** Starts a gateway whose route takes compressed messages; `messages` is what its handler received. */
async function listen(limits: { maxFrameBytes?: number } = {}) {
  const messages = new Inbox<unknown>();
  const handlers = [{ message: (_: unknown, data: unknown) => messages.push(data) }];
  const gateway = await startGateway({
    routes: { events: { path: '/events', compression: true, handlers } },
    ...limits,
  });
  return { ...gateway, messages };
}

async function connect(port: number): Promise<RawSocket> {
  const raw = await RawSocket.open(port);
  expect(await raw.upgrade('/events', OFFER)).toContain('permessage-deflate');
  return raw;
}

describe('A compressed message from a client', () => {
  it('[I-1] reaches the handlers unchanged and in order: small or large, text or binary, whole or in fragments', async () => {
    const { ws, messages } = await listen();
    const socket = new WebSocket(ws('/events'), { perMessageDeflate: { threshold: 0 } });
    afterTest(() => socket.terminate());
    await within(new Promise((resolve) => socket.once('open', resolve)), 'a connection');
    const bytes = randomBytes(20_000);
    const said = ['a', 'ä'.repeat(40_000), 'b', '', bytes, 'x'.repeat(MIB), 'c'];
    for (const each of said) socket.send(each);
    for (const part of ['in ', 'three ', 'parts']) socket.send(part, { fin: part === 'parts' });
    expect(await messages.count(said.length + 1)).toEqual([...said, 'in three parts']);
  });

  it('[I-7] may come in fragments of one byte, with pings between, and end in a block that is marked as final', async () => {
    const { port, messages } = await listen();
    const raw = await connect(port);
    const payload = Buffer.concat([deflateRawSync('said in small parts'), Buffer.from([0])]);
    for (const [index, byte] of payload.entries()) {
      const opcode = index === 0 ? OPCODE.text : 0;
      const options = { compressed: index === 0, last: index === payload.length - 1 };
      raw.write(clientFrame(opcode, Buffer.from([byte]), options));
      raw.write(clientFrame(OPCODE.ping, ''));
    }
    raw.write(compressed(deflated('and then')));
    expect(await messages.count(2)).toEqual(['said in small parts', 'and then']);
  });

  it('[I-7] may have exactly maxFrameBytes; one byte more ends the connection with 1009', async () => {
    for (const maxFrameBytes of [1_000, 16_384, 100_000]) {
      const { port, messages } = await listen({ maxFrameBytes });
      const raw = await connect(port);
      raw.write(compressed(deflated('x'.repeat(maxFrameBytes))));
      expect(await messages.count(1)).toEqual(['x'.repeat(maxFrameBytes)]);
      raw.write(compressed(deflated('x'.repeat(maxFrameBytes + 1))));
      expect(await raw.closeFrame()).toEqual({ code: 1009, reason: `more than ${maxFrameBytes} bytes in one message` });
      expect(messages.all).toHaveLength(1);
    }
  });

  it('[I-8] ends the connection with 1007 if it is not valid, and with 1002 if compression was not negotiated', async () => {
    const { port, ws, append, messages } = await listen();
    const other = await PlainClient.open(ws('/events'));
    for (const payload of [
      Buffer.from('not compressed'),
      Buffer.from([0xff, 0xff, 0xff]),
      deflated(Buffer.from([0xff])),
    ]) {
      const raw = await connect(port);
      raw.write(compressed(payload));
      expect((await raw.closeFrame()).code).toBe(1007);
      await raw.whenEnded();
    }
    const raw = await RawSocket.open(port);
    await raw.upgrade('/events');
    raw.write(compressed(deflated('x')));
    expect((await raw.closeFrame()).code).toBe(1002);
    await append(1);
    expect([await other.numbers(1), messages.all]).toEqual([[1], []]);
  });
});

describe('A compression bomb', () => {
  it('[I-7][I-8] of 100 MiB in 100 KiB ends with 1009, also fifty at once: memory stays flat, and other clients are served', async () => {
    const logFile = `${temporaryFolder()}/log.db`;
    const append = appender(await openTestLog(logFile));
    const gateway = await GatewayProcess.start({
      log: `sqlite:${logFile}`,
      routes: { events: { path: '/events', compression: true } },
    });
    const reader = await PlainClient.open(gateway.ws('/events'));
    const bomb = compressed(deflated(Buffer.alloc(100 * MIB)));
    const small = compressed(deflated(Buffer.alloc(MIB + 1)));
    expect([bomb.length < 110_000, small.length < 1_100]).toEqual([true, true]);
    const throwOne = async (frame: Buffer) => {
      const raw = await connect(gateway.port);
      raw.write(frame);
      expect((await raw.closeFrame(20_000)).code).toBe(1009);
      raw.write(clientFrame(OPCODE.close, Buffer.from([0x03, 0xf1])));
      await raw.whenEnded();
    };
    const before = await gateway.memory();
    let over = false;
    const thrown = Promise.all(Array.from({ length: 50 }, (_, index) => throwOne(index % 2 === 0 ? bomb : small)));
    const ended = thrown.finally(() => (over = true));
    const most = highest(gateway, () => over);
    await append(20);
    expect(await reader.numbers(20)).toEqual(numbers(1, 20));
    await ended;
    // Inflated, all fifty would take 2.5 GiB.
    expect((await most) - before).toBeLessThan(160 * MIB);
    await eventually(
      () => gateway.connections(),
      (count) => count === 1,
    );
  });

  it('[I-7] in fragments of one byte ends the connection with 1008: too many fragments', async () => {
    const { port } = await listen({ maxFrameBytes: 20_000 });
    const raw = await connect(port);
    const payload = deflated(Buffer.alloc(4 * MIB));
    const parts = [...payload].map((byte, index) =>
      clientFrame(index === 0 ? OPCODE.text : 0, Buffer.from([byte]), {
        compressed: index === 0,
        last: index === payload.length - 1,
      }),
    );
    raw.write(Buffer.concat(parts));
    expect((await raw.closeFrame()).code).toBe(1008);
  });
});

describe('Connections of a route with compression', () => {
  it('[I-7] keep no inflater: they cost as much as others, also after each has sent a message', async () => {
    const gateway = await GatewayProcess.start({
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events', compression: true }, plain: { path: '/plain' } },
    });
    const open = async (path: string, count: number) => {
      const before = await gateway.memory();
      for (let opened = 0; opened < count; opened += 100) {
        await Promise.all(Array.from({ length: 100 }, () => openAndSend(gateway.port, path)));
      }
      return ((await gateway.memory()) - before) / count;
    };
    // The process grows by some memory once, whatever the route.
    await open('/plain', 500);
    await open('/events', 500);
    const plain = await open('/plain', 2_000);
    const withCompression = await open('/events', 2_000);
    // An inflater for each connection would take at least 10 KB.
    expect(withCompression - plain).toBeLessThan(4_000);
  });
});

/** The highest resident memory in bytes that was seen until `isOver`. */
async function highest(gateway: GatewayProcess, isOver: () => boolean): Promise<number> {
  let most = 0;
  while (!isOver()) most = Math.max(most, await gateway.rss());
  return most;
}

async function openAndSend(port: number, path: string): Promise<void> {
  const raw = await RawSocket.open(port);
  await raw.upgrade(path, OFFER);
  const text = '{"op":"ping"}';
  raw.write(path === '/plain' ? clientFrame(OPCODE.text, text) : compressed(deflated(text)));
  raw.write(clientFrame(OPCODE.ping, ''));
  while ((await raw.frame()).opcode !== OPCODE.pong);
}
