import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { appender, openTestLog, type TestGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { within } from '../../support/gateway/inbox.js';
import { OrderCheck, OrderedReader } from '../../support/gateway/ordered-reader.js';
import { eventually } from '../../support/waiting.js';

const MIB = 1_048_576;

async function start(): Promise<{ gateway: GatewayProcess; append: TestGateway['append'] }> {
  const logFile = join(temporaryFolder(), 'log.db');
  const log = await openTestLog(logFile);
  return { gateway: await GatewayProcess.start({ log: `sqlite:${logFile}` }), append: appender(log) };
}

// Free memory returns to the system some time after a collection, so only what stays is held.

/** A client that connects, stops reading and later reads on. */
interface SlowClient {
  pause(): void;
  resume(): void;
  /** Waits until it has read this event, with no event missing, out of order or twice. */
  reaches(number: number): Promise<void>;
}

describe('A connection that reads nothing while 100,000 events of 500 bytes pass', () => {
  it('[I-7][I-8][I-2][I-3][G-2] costs less than 16 MiB, delays no other client, and gets all events in order when it reads on', async () => {
    const { gateway, append } = await start();
    const reader = await OrderedReader.open(gateway.ws('/events'));
    await pass(append, reader, 1, 100_000);
    // The same traffic as later, including a replay from far behind, so that any later growth is due to the slow
    // connection.
    const replaying = await OrderedReader.open(gateway.ws('/events?since=first'));
    await replaying.reaches(100_000);
    replaying.socket.terminate();
    const alone = await pass(append, reader, 100_001, 100_000);
    const [before, heldBefore] = [await gateway.memory(), await gateway.held()];

    const slow = await OrderedReader.open(gateway.ws('/events'), 200_000);
    slow.socket.pause();
    const beside = await pass(append, reader, 200_001, 100_000);
    expect(slow.last).toBe(200_000);
    await expect.poll(async () => (await gateway.memory()) - before).toBeLessThan(16 * MIB);
    expect(beside.median).toBeLessThan(alone.median * 10 + 10);
    expect(beside.p99).toBeLessThan(alone.p99 * 10 + 100);

    slow.socket.resume();
    await slow.reaches(300_000);
    expect(slow.wrong).toBeUndefined();
    expect(reader.wrong).toBeUndefined();
    // The allocator keeps pages from the replay, a varying number of them.
    expect((await gateway.held()) - heldBefore).toBeLessThan(16 * MIB);
    // Still less than the events that passed meanwhile.
    expect((await gateway.memory()) - before).toBeLessThan(48 * MIB);
  });
});

describe('Connections that read nothing while 10,000 events of 2,000 bytes pass', () => {
  const kinds: { name: string; connect: (gateway: GatewayProcess, after: number) => Promise<SlowClient> }[] = [
    { name: 'an event stream', connect: slowStream },
    { name: 'two subscriptions of pregon.v1', connect: slowFrames },
  ];
  for (const { name, connect } of kinds) {
    it(`[I-7][I-2][I-3] cost little, and get all events in order when they read on (${name})`, async () => {
      const { gateway, append } = await start();
      const reader = await OrderedReader.open(gateway.ws('/events'));
      await appendAll(append, reader, 1, 10_000);
      const warm = await connect(gateway, 10_000);
      await appendAll(append, reader, 10_001, 10_000);
      await warm.reaches(20_000);
      const before = await gateway.memory();
      const slow = await connect(gateway, 20_000);
      slow.pause();
      await appendAll(append, reader, 20_001, 10_000);
      await expect.poll(async () => (await gateway.memory()) - before).toBeLessThan(16 * MIB);
      slow.resume();
      await slow.reaches(30_000);
      expect(reader.wrong).toBeUndefined();
    });
  }

  it('[I-7] cost no more than their buffers, a hundred of them', async () => {
    const { gateway, append } = await start();
    const reader = await OrderedReader.open(gateway.ws('/events'));
    await appendAll(append, reader, 1, 10_000);
    const before = await gateway.memory();
    const slow = await Promise.all(
      Array.from({ length: 100 }, () => OrderedReader.open(gateway.ws('/events'), 10_000)),
    );
    for (const { socket } of slow) socket.pause();
    await appendAll(append, reader, 10_001, 10_000);
    // Two chunks of 64 KiB each and the connection itself; a queue for each would take 2 GB.
    await expect.poll(async () => (await gateway.memory()) - before).toBeLessThan(100 * 0.25 * MIB + 24 * MIB);
    for (const { socket } of slow) socket.resume();
    for (const client of slow) await client.reaches(20_000);
    expect(slow.map(({ wrong }) => wrong).filter((wrong) => wrong !== undefined)).toEqual([]);
  });
});

async function appendAll(
  append: TestGateway['append'],
  reader: OrderedReader,
  from: number,
  count: number,
): Promise<void> {
  await append(count, { from, padding: 1_830 });
  await reader.reaches(from + count - 1);
}

async function slowStream(gateway: GatewayProcess, after: number): Promise<SlowClient> {
  const raw = connect({ port: gateway.port, host: '127.0.0.1' });
  afterTest(() => raw.destroy());
  const order = new OrderCheck(after);
  let rest = '';
  raw.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) if (block.includes('"specversion"')) order.next(block);
  });
  raw.write('GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
  await eventually(
    () => gateway.connections(),
    (count) => count > 1,
  );
  return { pause: () => raw.pause(), resume: () => raw.resume(), reaches: (number) => order.reaches(number) };
}

async function slowFrames(gateway: GatewayProcess, after: number): Promise<SlowClient> {
  const socket = new WebSocket(gateway.ws('/events'), 'pregon.v1');
  afterTest(() => socket.terminate());
  const orders = [new OrderCheck(after), new OrderCheck(after)];
  let current: OrderCheck | undefined;
  let open = 0;
  const opened = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const text = data.toString();
      if (text.includes('"specversion"')) return current?.next(text);
      const { op, id } = JSON.parse(text);
      if (op === 'events' || op === 'subscribed') current = orders[id];
      if (op === 'subscribed') open += 1;
      if (open === 2) resolve();
    });
  });
  socket.on('open', () => {
    for (const id of [0, 1]) socket.send(JSON.stringify({ op: 'subscribe', id, topics: ['n.*'] }));
  });
  await within(opened, 'two subscriptions');
  return {
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    reaches: async (number) => void (await Promise.all(orders.map((order) => order.reaches(number)))),
  };
}

/** Milliseconds from the append of a batch to its arrival. */
interface Delay {
  readonly median: number;
  readonly p99: number;
}

/** Appends numbered events of 500 bytes; each batch waits for the arrival of the previous one. */
async function pass(append: TestGateway['append'], reader: OrderedReader, from: number, count: number): Promise<Delay> {
  const batch = 200;
  const took: number[] = [];
  for (let at = from; at < from + count; at += batch) {
    const begun = performance.now();
    const arrived = reader.reaches(at + batch - 1);
    await append(batch, { from: at, padding: 330 });
    await arrived;
    took.push(performance.now() - begun);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}
