import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { constants, inflateRawSync } from 'node:zlib';
import { createClient, type PregonEvent } from '@pregon/client';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { FramesClient, untilAtHead } from '../../support/gateway/frames-client.js';
import {
  appender,
  numberOf,
  numbers,
  openTestLog,
  startGateway,
  type TestGateway,
} from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { pregon, startPregon } from '../../support/processes.js';

const AGREED = 'permessage-deflate; client_no_context_takeover; server_max_window_bits=12';
const WITHOUT_CONTEXT = `${AGREED}; server_no_context_takeover`;

const routes = {
  events: { path: '/events', compression: true },
  small: { path: '/small', compression: { thresholdBytes: 0 } },
  plain: { path: '/plain' },
};

async function extensions(port: number, path: string, offered: string): Promise<[status: string, agreed?: string]> {
  const raw = await RawSocket.open(port);
  const head = await raw.upgrade(path, { 'Sec-WebSocket-Extensions': offered });
  const [, agreed] = /\r\nSec-WebSocket-Extensions: (.*?)(?:\r\n|$)/i.exec(head) ?? [];
  raw.socket.destroy();
  return agreed === undefined ? [head.slice(9, 12)] : [head.slice(9, 12), agreed];
}

/** Connects with compression and returns the socket for raw frames. */
async function rawly(
  { port }: Pick<TestGateway, 'port'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<RawSocket> {
  const raw = await RawSocket.open(port);
  await raw.upgrade(path, { 'Sec-WebSocket-Extensions': 'permessage-deflate', ...headers });
  return raw;
}

/** The bytes received on the connection of this socket, handshake included. */
function rawBytes(socket: WebSocket): number {
  const raw: unknown = Reflect.get(socket, '_socket');
  if (!(raw instanceof Socket)) throw new Error('a client without a socket');
  return raw.bytesRead;
}

function inflated(payload: Buffer): string {
  const message = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
  return inflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

describe('permessage-deflate', () => {
  it.each([
    ['permessage-deflate', AGREED],
    ['permessage-deflate; client_max_window_bits', AGREED],
    ['permessage-deflate; server_max_window_bits=15; client_max_window_bits=9', `${AGREED}; client_max_window_bits=9`],
    ['permessage-deflate; server_max_window_bits=9, permessage-deflate', AGREED],
    ['permessage-deflate; server_no_context_takeover', WITHOUT_CONTEXT],
    ['permessage-deflate; server_max_window_bits=9, permessage-deflate; server_no_context_takeover', WITHOUT_CONTEXT],
    ['permessage-deflate; server_max_window_bits=9', undefined],
    ['permessage-deflate; unheard_of', undefined],
    ['something-else', undefined],
  ])('is negotiated: the offer "%s" is answered with %s', async (offered, agreed) => {
    const { port } = await startGateway({ routes });
    const [status, answer] = await extensions(port, '/events', offered);
    expect(status).toBe('101');
    expect(answer?.split('; ').sort()).toEqual(agreed?.split('; ').sort());
    expect(await extensions(port, '/plain', offered)).toEqual(['101']);
  });

  it('[I-1] gives all stock clients the same texts; only clients that offered it get compressed frames, the same bytes for all', async () => {
    const gateway = await startGateway({ routes });
    const { ws, append } = gateway;
    await untilAtHead(gateway);
    const [one, two, without] = [
      await PlainClient.open(ws('/events')),
      await PlainClient.open(ws('/events'), { perMessageDeflate: { serverMaxWindowBits: 12 } }),
      await PlainClient.open(ws('/events'), { perMessageDeflate: false }),
    ];
    expect([one, two, without].map(({ socket }) => socket.extensions)).toEqual([
      'permessage-deflate',
      'permessage-deflate',
      '',
    ]);
    const raw = [await rawly(gateway, '/events'), await rawly(gateway, '/events')];
    await append(1);
    await append(1, { padding: 3_000 });
    await append(1, { padding: 300_000 });
    for (const client of [one, two, without]) expect(await client.numbers(3)).toEqual([1, 2, 3]);
    expect(one.texts).toEqual(without.texts);
    expect(two.texts).toEqual(without.texts);
    const frames = [];
    for (let n = 0; n < 3; n++) frames.push(await Promise.all(raw.map((socket) => socket.frame())));
    for (const [a, b] of frames) expect(a).toEqual(b);
    expect(frames.map(([frame]) => frame?.compressed)).toEqual([false, true, true]);
    const texts = frames.map(([frame]) => (frame?.compressed ? inflated(frame.payload) : frame?.payload.toString()));
    expect(texts).toEqual(without.texts);
  });

  it('[I-1][I-3] with a shared context saves bytes, and gives the same texts to clients with, without and late to the context', async () => {
    const gateway = await startGateway({ routes });
    const { ws, append } = gateway;
    const open = async (count: number, perMessageDeflate: object | false = {}) =>
      Promise.all(Array.from({ length: count }, () => PlainClient.open(ws('/events'), { perMessageDeflate })));
    await untilAtHead(gateway);
    const many = await open(40);
    const forgetful = await open(2, { serverNoContextTakeover: true });
    const [plain] = await open(1, false);
    const bytesOf = ({ socket }: PlainClient) => rawBytes(socket);
    const send = async (count: number) => {
      for (let n = 0; n < count; n++) await append(1, { padding: 600 });
    };
    await send(30);
    const late = await open(3);
    const all = [...many, ...forgetful, ...late];
    await plain?.numbers(30);
    await send(40);
    expect(await plain?.numbers(70)).toEqual(numbers(1, 70));
    for (const client of [...many, ...forgetful]) expect(await client.numbers(70)).toEqual(numbers(1, 70));
    for (const client of late) expect(await client.numbers(40)).toEqual(numbers(31, 70));
    for (const client of all) expect(client.texts).toEqual(plain?.texts.slice(-client.texts.length));
    const [remembering = 0, forgetting = 0] = [many[0], forgetful[0]].map((client) => client && bytesOf(client));
    expect(remembering).toBeLessThan(forgetting * 0.7);
    expect(new Set(many.map(bytesOf)).size).toBe(1);
  });

  it('[I-1][I-2][I-3][I-8] gives many clients with several subscriptions the same texts, also if some read slowly', async () => {
    const gateway = await startGateway({ routes, maxBufferedBytes: 1 });
    const clients = await Promise.all(Array.from({ length: 48 }, () => FramesClient.open(gateway.ws('/events'))));
    const topic = (n: number) => `n.${n % 2 === 0 ? 'even' : 'odd'}`;
    const withSecond = clients.slice(0, 12);
    for (const client of clients) await client.subscribe({ id: 1, topics: ['n.#'] });
    for (const client of withSecond) await client.subscribe({ id: 2, topics: ['n.even'] });
    for (let round = 0; round < 60; round++) {
      const slow = clients[(round * 7) % clients.length];
      slow?.socket.pause();
      await gateway.append(round % 3 === 0 ? 40 : 2, { topic, padding: 400 + round });
      slow?.socket.resume();
    }
    const all = numbers(1, 20 * 40 + 40 * 2);
    for (const client of clients) expect(await client.numbers(1, all.length)).toEqual(all);
    const even = all.filter((n) => n % 2 === 0);
    for (const client of withSecond) expect(await client.numbers(2, even.length)).toEqual(even);
  });

  it('[I-2][I-3] leaves replay, resume and waiting for a slow client as they are without compression', async () => {
    const gateway = await startGateway({ routes, historyBytes: 100_000, maxBufferedBytes: 1 });
    const { ws, append } = gateway;
    await append(3_000, { padding: 700 });
    const all = await PlainClient.open(ws('/events?since=first'));
    expect(await all.numbers(3_000)).toEqual(numbers(1, 3_000));
    const since = all.events.all[999]?.position ?? '';
    const slow = await PlainClient.open(ws(`/small?since=${since}`));
    slow.socket.pause();
    await append(20_000, { padding: 700 });
    slow.socket.resume();
    expect(await slow.numbers(22_000)).toEqual(numbers(1_001, 23_000));
    expect(await all.numbers(23_000)).toEqual(numbers(1, 23_000));
  });
});

it('--compress turns compression on for the running routes; a configured route keeps its threshold', async () => {
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'pregon.yml'),
    'websocket: { routes: { a: { path: /a }, b: { path: /b, compression: { thresholdBytes: 100000 } } } }\n',
  );
  const gateway = startPregon(['run', '127.0.0.1:0', '--exchange=x', '--compress'], { cwd });
  const [, port = ''] = await gateway.until(/ws:\S+?:(\d+)\//);
  for (const path of ['/a', '/b'])
    expect(await extensions(Number(port), path, 'permessage-deflate')).toEqual(['101', AGREED]);
  const sockets = await Promise.all(['/a', '/b'].map((path) => rawly({ port: Number(port) }, path)));
  const text = JSON.stringify('x'.repeat(2_000));
  await pregon(['publish', 'x', 'a.b', text, '--type=T'], { cwd });
  const frames = await Promise.all(sockets.map((raw) => raw.frame()));
  expect(frames.map(({ compressed }) => compressed)).toEqual([true, false]);
});

describe('Events of one flush under pregon.v1', () => {
  const subscribe = (fields: object) => JSON.stringify({ op: 'subscribe', id: 1, ...fields });

  it('come as a batch if the client asks for it on a compressed connection; the batch is smaller than single frames', async () => {
    const gateway = await startGateway({ routes });
    await gateway.append(5, { padding: 400 });
    const sizes: Record<string, number> = {};
    for (const batch of [true, false]) {
      const raw = await rawly(gateway, '/events', { 'Sec-WebSocket-Protocol': 'pregon.v1' });
      const frame = Buffer.from(subscribe({ since: 'first', batch }));
      raw.write(Buffer.concat([Buffer.from([0x81, 0x80 | frame.length, 0, 0, 0, 0]), frame]));
      const seen: PregonEvent[] = [];
      let bytes = 0;
      while (seen.length < 5) {
        const { opcode, compressed, payload } = await raw.frame();
        if (opcode !== OPCODE.text || !compressed) continue;
        bytes += payload.length;
        const message = JSON.parse(inflated(payload));
        expect(message.op).toBe(batch ? 'batch' : undefined);
        seen.push(...(batch ? message.events : [message]));
      }
      expect(seen.map(numberOf)).toEqual([1, 2, 3, 4, 5]);
      sizes[String(batch)] = bytes;
    }
    expect(sizes['true']).toBeLessThan((sizes['false'] ?? 0) / 2);
  });

  it('[I-1][I-2][I-3] reach @pregon/client, which asks for batches, once each and in order', async () => {
    const { ws, append } = await startGateway({ routes });
    await append(2_000, { padding: 400 });
    const received = { all: new Inbox<PregonEvent>(), some: new Inbox<PregonEvent>() };
    const client = createClient({ url: ws('/events'), WebSocket });
    afterTest(() => client.close());
    client.subscribe({ since: 'first', onEvent: (event) => received.all.push(event) });
    client.subscribe({ topics: ['n.7', 'n.2007'], since: 'first', onEvent: (event) => received.some.push(event) });
    await received.all.count(2_000);
    await append(500, { padding: 400 });
    expect((await received.all.count(2_500)).map(numberOf)).toEqual(numbers(1, 2_500));
    expect((await received.some.count(2)).map(numberOf)).toEqual([7, 2_007]);
  });

  it('[I-1][I-2][I-3] reach many clients with different topics: each gets all of its events, in order', async () => {
    const gateway = await startGateway({ routes, flushIntervalMs: 20 });
    const kinds = Array.from({ length: 30 }, (_, kind) => kind);
    const topic = (n: number) => `n.${n % 30}`;
    const clients = kinds.map((kind) => {
      const client = createClient({ url: gateway.ws('/events'), WebSocket });
      afterTest(() => client.close());
      const received = new Inbox<PregonEvent>();
      const topics = Array.from({ length: 10 }, (_, index) => topic(kind + index));
      client.subscribe({ topics, since: 'first', onEvent: (event) => received.push(event) });
      return received;
    });
    for (let round = 0; round < 10; round++) await gateway.append(60, { topic, padding: 600 });
    for (const [kind, received] of clients.entries()) {
      const wanted = numbers(1, 600).filter((n) => (n - kind + 30) % 30 < 10);
      expect((await received.count(200)).map(numberOf)).toEqual(wanted);
    }
  });

  it('[I-2][I-3] are resumed after the last handled event if the gateway is killed in between', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const options = { log: `sqlite:${logFile}`, routes: { events: { path: '/events', compression: true } } };
    let gateway = await GatewayProcess.start(options);
    const reconnect = { minDelayMs: 20, maxDelayMs: 200 };
    const client = createClient({ url: gateway.ws('/events'), WebSocket, reconnect });
    afterTest(() => client.close());
    const received = new Inbox<PregonEvent>();
    client.subscribe({ since: 'first', onEvent: (event) => received.push(event) });
    for (let round = 0; round < 3; round++) {
      const writing = append(3_000, { padding: 700 });
      await received.count(round * 3_000 + 10);
      await gateway.kill();
      await writing;
      gateway = await GatewayProcess.start(options, { port: gateway.port });
      client.connectNow();
      await received.count((round + 1) * 3_000);
    }
    expect(received.all.map(numberOf)).toEqual(numbers(1, 9_000));
  });

  it('come one by one if the client did not ask for batches, or if the connection is not compressed', async () => {
    const gateway = await startGateway({ routes });
    await gateway.append(50, { padding: 400 });
    const clients = [
      await FramesClient.open(gateway.ws('/events')),
      await FramesClient.open(gateway.ws('/plain')),
      await FramesClient.open(gateway.ws('/events'), { perMessageDeflate: false }),
    ];
    for (const [index, client] of clients.entries()) {
      await client.subscribe({ id: 1, since: 'first', ...(index === 0 ? {} : { batch: true }) });
      expect(await client.numbers(1, 50)).toEqual(numbers(1, 50));
      expect(client.controls('batch')).toEqual([]);
    }
  });
});
