import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Chunk } from '../../src/core/delivery/chunk.js';
import type { LoggedEvent } from '../../src/core/delivery/logged-event.js';
import { CompressedEvents } from '../../src/transports/websocket/compression/compressed-events.js';
import { WINDOW_BITS } from '../../src/transports/websocket/compression/deflate.js';
import { eventFrames } from '../../src/transports/websocket/event-formats.js';
import { entry, logged as loggedEvent, loggedOfSize } from '../core/support/entries.js';
import { event } from '../core/support/square.js';

const RSV1 = 0x40;

/** A stock client with the smallest window that a gateway agrees on, and the other end of its connection. */
let client: WebSocket;
let wire: Duplex;
const texts: string[] = [];

beforeAll(async () => {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: { serverMaxWindowBits: WINDOW_BITS } });
  http.on('upgrade', (request, socket, head) => {
    wire = socket;
    server.handleUpgrade(request, socket, head, () => {});
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  const perMessageDeflate = { serverNoContextTakeover: true, serverMaxWindowBits: WINDOW_BITS };
  client = new WebSocket(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, { perMessageDeflate });
  client.on('message', (data) => texts.push(data.toString()));
  await new Promise((resolve) => client.once('open', resolve));
  http.close();
});

afterAll(() => client.terminate());

/** The messages that the stock client reads from these bytes. */
async function received(bytes: Buffer): Promise<string[]> {
  texts.length = 0;
  const answered = new Promise((resolve) => client.once('ping', resolve));
  wire.write(bytes);
  wire.write(Buffer.from([0x89, 0]));
  await answered;
  return [...texts];
}

function logged(data: readonly unknown[]): LoggedEvent[] {
  return data.map((each, index) => loggedEvent(entry(index + 1, event('thing.1.done', { data: each }))));
}

const textOf = (of: LoggedEvent) => JSON.stringify(of.parse());

const data = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.integer({ min: 0, max: 20_000 }).map((length) => 'again and '.repeat(length / 10)),
  fc.uint8Array({ minLength: 0, maxLength: 3_000 }).map((bytes) => Buffer.from(bytes).toString('base64')),
);

describe('compressed frames', () => {
  it('[I-1] give a stock client the texts of the events, one message each, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 8 }), fc.nat(1_000), async (list, threshold) => {
        const events = logged(list);
        const bytes = new Chunk(0, 9, events).bytes(new CompressedEvents(threshold).separate);
        expect(await received(bytes)).toEqual(events.map(textOf));
      }),
      { numRuns: 200 },
    );
  });

  it('[I-1] in the form "together" are a batch of the same events, in order, or one message each', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 8 }), fc.nat(1_000), async (list, threshold) => {
        const events = logged(list);
        const bytes = new Chunk(0, 9, events).bytes(new CompressedEvents(threshold).together);
        const messages: unknown[] = (await received(bytes)).map((text) => JSON.parse(text));
        const batch = { op: 'batch', events: events.map((each) => each.parse()) };
        const compressed = ((bytes[0] ?? 0) & RSV1) !== 0;
        expect(messages).toEqual(compressed && events.length > 1 ? [batch] : batch.events);
      }),
      { numRuns: 200 },
    );
  });

  it('leave events uncompressed that are below the threshold or would not shrink', () => {
    const small = loggedOfSize(1, 511);
    const enough = loggedOfSize(2, 512);
    const noise = loggedEvent({ ...entry(3, event('t')), payload: randomBytes(6_000) });
    const { separate } = new CompressedEvents(512);
    expect(new Chunk(0, 1, [small]).bytes(separate)).toEqual(new Chunk(0, 1, [small]).bytes(eventFrames));
    expect((new Chunk(0, 2, [enough]).bytes(separate)[0] ?? 0) & RSV1).toBe(RSV1);
    expect(new Chunk(0, 3, [noise]).bytes(separate)).toEqual(new Chunk(0, 3, [noise]).bytes(eventFrames));
  });

  it('are made once for each event, however many chunks it is in', () => {
    const events = Array.from({ length: 40 }, (_, index) => loggedOfSize(index + 1, 1_000));
    const { separate } = new CompressedEvents(512);
    const first = events.map((each) => new Chunk(0, 99, [each]).bytes(separate));
    const texts: Buffer[] = [];
    for (const each of events) each.write = (target: Buffer, at: number) => texts.push(target) && at;
    expect(new Chunk(0, 99, events).bytes(separate)).toEqual(Buffer.concat(first));
    expect(texts).toEqual([]);
  });

  it('[I-7] are kept for at most 4 MiB of events, and are the same when they are made again', () => {
    const { separate } = new CompressedEvents(512);
    const early = loggedOfSize(1, 100_000);
    const before = new Chunk(0, 1, [early]).bytes(separate);
    for (let offset = 2; offset < 60; offset++) {
      new Chunk(offset - 1, offset, [loggedOfSize(offset, 100_000)]).bytes(separate);
    }
    let written = 0;
    const { write } = early;
    early.write = (target, at) => {
      written += 1;
      return write.call(early, target, at);
    };
    expect(new Chunk(0, 1, [early]).bytes(separate)).toEqual(before);
    expect(written).toBe(1);
  });

  it('of five similar events are smaller together than separately', () => {
    const events = logged(Array.from({ length: 5 }, (_, n) => bid(n)));
    const formats = new CompressedEvents(512);
    const chunk = new Chunk(0, 5, events, 1_000);
    const plain = chunk.bytes(eventFrames).length;
    expect(chunk.bytes(formats.separate).length).toBeLessThan(plain * 0.6);
    expect(chunk.bytes(formats.together).length).toBeLessThan(chunk.bytes(formats.separate).length * 0.6);
  });

  it('are made together for many, and for few only if no other connection got one of the events', () => {
    const [one, two, three] = logged([bid(1), bid(2), bid(3)]);
    if (!one || !two || !three) throw new Error('unreachable');
    const { together, separate } = new CompressedEvents(512);
    const isBatch = (events: readonly LoggedEvent[], takers: number) =>
      !new Chunk(0, 9, events, takers).bytes(together).equals(new Chunk(0, 9, events).bytes(separate));
    expect(isBatch([one, two], 1)).toBe(true);
    expect(isBatch([two, three], 3)).toBe(false);
    expect(isBatch([two, three], 4)).toBe(true);
    expect(isBatch([one, three], 1)).toBe(false);
    expect(isBatch([one, two, three], 1_000)).toBe(true);
  });
});

function bid(n: number): unknown {
  const bids = Array.from({ length: 6 }, (_, k) => ({ id: n * 100 + k, amount: 1_000 + n * 7 + k, currency: 'EUR' }));
  return { id: n, title: 'A painting of the harbour at night', seller: { id: n * 31, name: 'Ada Lovelace' }, bids };
}
