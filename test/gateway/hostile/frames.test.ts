import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, openTestLog } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';

const LONGEST_TURN_MS = 20;
const M = 1_000_000;

const WITH_FRAMES = { 'Sec-WebSocket-Protocol': 'pregon.v1' };
const COMPRESSED = { ...WITH_FRAMES, 'Sec-WebSocket-Extensions': 'permessage-deflate' };

/** A gateway process with one healthy client, which must get every event whatever other clients do. */
async function start() {
  const logFile = join(temporaryFolder(), 'log.db');
  const append = appender(await openTestLog(logFile));
  const gateway = await GatewayProcess.start({
    log: `sqlite:${logFile}`,
    routes: {
      events: { path: '/events' },
      chat: { path: '/chat', broadcast: true },
      zip: { path: '/zip', broadcast: true, compression: true },
    },
  });
  const healthy = await PlainClient.open(gateway.ws('/events'));
  let served = 0;
  const isServed = async () => {
    await append(1);
    served += 1;
    expect(await healthy.numbers(served)).toEqual(numbers(1, served));
  };
  // Warms up the code, because a turn is measured with compiled code.
  for (let n = 0; n < 20; n++) await isServed();
  return { gateway, isServed };
}

async function hostile(gateway: GatewayProcess, path: string, headers: Record<string, string> = {}) {
  const raw = await RawSocket.open(gateway.port);
  expect(await raw.upgrade(path, headers)).toContain('101 Switching Protocols');
  return raw;
}

/** Returns the second of two tries, because the first one compiles the code; see {@link start}. */
async function onceWarm(longestTurnMs: () => Promise<number>): Promise<number> {
  await longestTurnMs();
  const measured = await longestTurnMs();
  // A neighbour on the same core can slow down one try; work that is too costly is slow in each.
  return measured <= LONGEST_TURN_MS ? measured : Math.min(measured, await longestTurnMs());
}

const unknown = (data: string) => `{"op":"x","data":${data}}`;
const deflated = (text: string) =>
  clientFrame(OPCODE.text, deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4), {
    compressed: true,
  });

const SHAPES: Readonly<Record<string, string>> = {
  brackets: '['.repeat(M),
  'arrays within arrays': unknown('['.repeat(M / 2) + ']'.repeat(M / 2 - 20)),
  'objects within objects': unknown(`${'{"a":'.repeat(160_000)}1${'}'.repeat(160_000)}`),
  'empty arrays': unknown(`[${'[],'.repeat(333_000)}0]`),
  'distinct keys': `{"op":"x",${Array.from({ length: 80_000 }, (_, i) => `"k${i}":0`).join(',')}}`,
  'objects of different shapes': unknown(`[${Array.from({ length: 70_000 }, (_, i) => `{"k${i}":0}`).join(',')}]`),
  escapes: unknown(`"${'\\n'.repeat(M / 2 - 20)}"`),
  blanks: `${' '.repeat(M)}{"op":"ping"}`,
};

describe('[fault A7] The cost of a frame', () => {
  it('is bounded for 1 MB of any shape, compressed or not: other clients are served', async () => {
    const { gateway, isServed } = await start();
    const longestTurnOf = async (text: string, isCompressed: boolean) => {
      const raw = await hostile(gateway, isCompressed ? '/zip' : '/chat', isCompressed ? COMPRESSED : WITH_FRAMES);
      const bytes = isCompressed ? deflated(text) : clientFrame(OPCODE.text, text);
      await gateway.longestTurnMs();
      for (let n = 0; n < 4; n++) raw.write(bytes);
      raw.write(clientFrame(OPCODE.text, '{"op":"ping"}'));
      await isServed();
      await raw.untilText('{"op":"pong"}');
      raw.socket.destroy();
      return gateway.longestTurnMs();
    };
    const turns: Record<string, number> = {};
    for (const [name, text] of Object.entries(SHAPES)) {
      for (const isCompressed of [false, true]) {
        const longest = () => longestTurnOf(text, isCompressed);
        turns[`${name}${isCompressed ? ', compressed' : ''}`] = await onceWarm(longest);
      }
    }
    expect(Object.entries(turns).filter(([, ms]) => ms > LONGEST_TURN_MS)).toEqual([]);
  });

  it('is bounded by the rate of bytes for a flood of compressed megabytes', async () => {
    const { gateway, isServed } = await start();
    const bomb = deflated(unknown(`"${'a'.repeat(M)}"`));
    const longest = async () => {
      const raw = await hostile(gateway, '/zip', COMPRESSED);
      await gateway.longestTurnMs();
      raw.write(Buffer.concat([...Array.from({ length: 1_000 }, () => bomb)]));
      for (let n = 0; n < 20; n++) await isServed();
      raw.socket.destroy();
      return gateway.longestTurnMs();
    };
    expect(await onceWarm(longest)).toBeLessThan(LONGEST_TURN_MS);
  });

  it.each([
    ['empty messages', () => clientFrame(OPCODE.text, '')],
    ['pings', () => clientFrame(OPCODE.ping, '')],
    ['pongs', () => clientFrame(OPCODE.pong, '')],
    ['frames that are not JSON', () => clientFrame(OPCODE.text, '{')],
    ['fragments without an end', (n: number) => clientFrame(n === 0 ? OPCODE.text : 0, '', { last: false })],
  ])(
    'is bounded for 200,000 frames in a row: %s',
    async (_, frame) => {
      const { gateway, isServed } = await start();
      const raw = await hostile(gateway, '/chat', WITH_FRAMES);
      const next = frame(1);
      const frames = Buffer.concat([frame(0), Buffer.alloc(199_999 * next.length, next)]);
      await gateway.longestTurnMs();
      raw.write(frames);
      for (let n = 0; n < 20; n++) await isServed();
      expect(await gateway.longestTurnMs()).toBeLessThan(LONGEST_TURN_MS);
    },
    60_000,
  );
});

describe('[fault A8] A client that broadcasts', () => {
  it('64 KB again and again to many clients holds up no other client', async () => {
    const { gateway, isServed } = await start();
    const receivers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const raw = await hostile(gateway, '/chat');
        raw.socket.removeAllListeners('data');
        raw.socket.resume();
        return raw;
      }),
    );
    const sender = await hostile(gateway, '/chat');
    const frame = clientFrame(OPCODE.text, 'x'.repeat(65_536));
    await gateway.longestTurnMs();
    for (let n = 0; n < 100; n++) sender.write(frame);
    for (let n = 0; n < 20; n++) await isServed();
    expect(await gateway.longestTurnMs()).toBeLessThan(LONGEST_TURN_MS);
    for (const { socket } of receivers) socket.destroy();
  });

  it('small messages as fast as it can holds up no other client, and loses none', async () => {
    const { gateway, isServed } = await start();
    const receiver = await PlainClient.open(gateway.ws('/chat'));
    const sender = await hostile(gateway, '/chat');
    await gateway.longestTurnMs();
    const count = 1_200;
    sender.write(Buffer.concat(numbers(1, count).map((n) => clientFrame(OPCODE.text, String(n)))));
    for (let n = 0; n < 10; n++) await isServed();
    expect(await receiver.messages.count(count, 30_000)).toEqual(numbers(1, count).map(String));
    expect(await gateway.longestTurnMs()).toBeLessThan(LONGEST_TURN_MS);
  });
});
