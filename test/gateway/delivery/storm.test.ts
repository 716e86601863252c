import { once } from 'node:events';
import { createServer } from 'node:http';
import { attachGateway, type Log, openLog, type ReadRequest } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { OrderedReader } from '../../support/gateway/ordered-reader.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { eventually } from '../../support/waiting.js';

const RETURNING = 1_000;
const STREAMS = 50;
const MISSED = 100;

/** Opens a log and records the reads of it. */
async function openWatched(logFile: string): Promise<{ log: Log; reads: ReadRequest[] }> {
  const log = await openLog(`sqlite:${logFile}`);
  afterTest(() => log.close());
  const reads: ReadRequest[] = [];
  const watched: Log = {
    name: log.name,
    kept: log.kept,
    secret: () => log.secret(),
    append: (events, options) => log.append(events, options),
    head: () => log.head(),
    floor: () => log.floor(),
    check: (point) => log.check(point),
    read(request) {
      reads.push(request);
      return log.read(request);
    },
    detail: (point) => log.detail(point),
    find: (request) => log.find(request),
    locate: (sequence, source) => log.locate(sequence, source),
    follow: (after, follower) => log.follow(after, follower),
    close: () => log.close(),
  };
  return { log: watched, reads };
}

/** Appends one event after another until stopped; only the clients that stayed connected subscribe to them. */
function tick(append: TestGateway['append']): { stop(): Promise<number> } {
  let running = true;
  let count = 0;
  const done = (async () => {
    for (; running; count++) {
      await append(1, { exchange: 'live', topic: (n) => `live.${n}` });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
      return count;
    },
  };
}

/** Opens TCP connections, one after another. */
async function openSockets(port: number, count: number): Promise<RawSocket[]> {
  const sockets: RawSocket[] = [];
  for (let i = 0; i < count; i++) sockets.push(await RawSocket.open(port));
  return sockets;
}

function statusOf({ text }: RawSocket): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

describe('A storm of connections that return at once', () => {
  for (const [where, historyBytes] of [
    ['in memory', 16_777_216],
    // About forty events.
    ['only in the log', 16_384],
  ] as const) {
    it(`[F][I-1][I-2][I-3][I-8] gets exactly the missed events, in order, from history that is ${where}; connected clients are served meanwhile`, async () => {
      const logFile = `${temporaryFolder()}/log.db`;
      const { log, reads } = await openWatched(logFile);
      const { ws, http, append, log: beside } = await startGateway({ logFile, log, historyBytes });
      const present = await OrderedReader.open(ws('/events?topics=live.%23'));
      const first = await StreamClient.open(http('/events'));
      await append(1);
      const since = (await first.events.count(1))[0]?.position ?? '';
      await append(MISSED);
      await first.events.count(1 + MISSED);
      first.source.close();
      const before = reads.length;
      const ticking = tick(appender(beside));
      const path = `/events?topics=n.%23&since=${since}`;
      const opening = Array.from({ length: RETURNING }, () => OrderedReader.open(ws(path), 1));
      const streams = await Promise.all(Array.from({ length: STREAMS }, () => StreamClient.open(http(path))));
      const returned = await Promise.all(opening);
      for (const reader of returned) await reader.reaches(1 + MISSED);
      await present.reaches(await ticking.stop());
      // From then on, the returned clients get live events, too.
      await append(1);
      const last = 1 + MISSED + 1;
      for (const reader of returned) await reader.reaches(last);
      for (const stream of streams) expect(await stream.numbers(last - 1)).toEqual(numbers(2, last));
      const ranges = reads.slice(before).map(({ after }) => after);
      expect(new Set(ranges).size).toBe(ranges.length);
      if (where === 'in memory') expect(ranges).toEqual([]);
    });
  }

  it('[F][I-1][I-8] is admitted a few at a time, and every client is answered, also one that subscribes late and in parts', async () => {
    const { ws, append, port } = await startGateway();
    const present = await OrderedReader.open(ws('/events?topics=n.%23'));
    const subprotocol = { ...UPGRADE, 'Sec-WebSocket-Protocol': 'pregon.v1' };
    const sockets = await openSockets(port, RETURNING);
    for (const raw of sockets) raw.request('/events', subprotocol);
    for (const raw of sockets) await raw.untilText('"op":"welcome"');
    const subscribe = clientFrame(OPCODE.text, '{"op":"subscribe","id":1,"topics":["n.#"]}');
    for (const raw of sockets.slice(0, -50)) raw.write(subscribe);
    let turns = 0;
    let answered = false;
    const turn = () => {
      turns += 1;
      if (!answered) setImmediate(turn);
    };
    setImmediate(turn);
    await append(20);
    await present.reaches(20);
    for (const raw of sockets.slice(0, -50)) await raw.untilText('"op":"subscribed"');
    answered = true;
    // The gateway runs in this process. Sixteen admissions in a turn make sixty turns; without that limit, a few turns
    // would do.
    expect(turns).toBeGreaterThan(50);
    // In two parts, while no other client sends anything.
    const late = sockets.slice(-50);
    for (const raw of late) raw.write(subscribe.subarray(0, 10));
    for (const raw of late) raw.write(subscribe.subarray(10));
    for (const raw of late) await raw.untilText('"op":"subscribed"');
    await append(1);
    await present.reaches(21);
    for (const raw of sockets) await raw.untilText('"id":"events-21"');
  });

  it('[F] is answered in the order of arrival', async () => {
    const { port } = await startGateway();
    const sockets = await openSockets(port, 400);
    const answered: number[] = [];
    for (const [number, { socket }] of sockets.entries()) socket.once('data', () => answered.push(number));
    for (const raw of sockets) raw.request('/events', UPGRADE);
    await eventually(
      () => answered.length,
      (count) => count === sockets.length,
    );
    expect(answered).toEqual(sockets.map((_, number) => number));
  });

  it('[I-8] admits the other clients if some disconnect while they wait', async () => {
    const { gateway, port } = await startGateway();
    const sockets = await openSockets(port, 300);
    for (const raw of sockets) raw.request('/events', UPGRADE);
    const broken = sockets.filter((_, number) => number % 3 === 0);
    for (const { socket } of broken) socket.resetAndDestroy();
    const others = sockets.filter((_, number) => number % 3 !== 0);
    for (const raw of others) expect(await raw.head()).toMatch(/^HTTP\/1\.1 101 /);
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === others.length,
    );
  });

  it('[I-8] leaves room for others if one connection sends requests by the thousand', async () => {
    const { port } = await startGateway();
    const flood = await RawSocket.open(port);
    flood.write('GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(5_000));
    await flood.whenEnded(2_000);
    expect(await (await RawSocket.open(port)).upgrade('/events')).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('[F] is admitted before sockets that have not sent anything yet, and never will', async () => {
    const { port } = await startGateway({ handshakeTimeoutMs: 2_000 });
    const silent = await openSockets(port, 100);
    const sockets = await openSockets(port, 200);
    for (const raw of sockets) raw.request('/events', UPGRADE);
    const late = await openSockets(port, 100);
    for (const raw of late) raw.request('/events', UPGRADE);
    for (const raw of [...sockets, ...late]) expect(await raw.head()).toMatch(/^HTTP\/1\.1 101 /);
    await Promise.all(silent.map((raw) => raw.whenEnded()));
  });

  it('[F] gets 503 or a close frame if the gateway closes meanwhile, and does not delay the closing', async () => {
    const { gateway, port } = await startGateway();
    const sockets = await openSockets(port, 400);
    for (const raw of sockets) raw.request('/events', UPGRADE);
    await eventually(
      () => sockets.some(({ text }) => text !== ''),
      (some) => some,
    );
    const began = performance.now();
    await gateway.close({ spreadMs: 0, timeoutMs: 50_000 });
    expect(performance.now() - began).toBeLessThan(40_000);
    for (const raw of sockets) await raw.whenEnded();
    const statuses = sockets.filter(({ text }) => text !== '').map(statusOf);
    expect(statuses.every((status) => status === 101 || status === 503)).toBe(true);
  });

  it('[F] gets 503 if an attached gateway closes meanwhile; the server goes on', async () => {
    const server = createServer((_request, response) => response.end('app'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => {
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const log = `sqlite:${temporaryFolder()}/log.db`;
    const gateway = await attachGateway(server, { log, routes: { events: { path: '/events' } } });
    const sockets = await openSockets(port, 400);
    for (const raw of sockets) raw.request('/events', UPGRADE);
    await eventually(
      () => sockets.some(({ text }) => text !== ''),
      (some) => some,
    );
    await gateway.close({ spreadMs: 0 });
    // The application answers the requests that came too late for the gateway.
    const answered = await eventually(
      () => sockets.filter(({ text }) => text !== ''),
      ({ length }) => length === sockets.length,
    );
    const statuses = new Set(answered.map(statusOf));
    expect([...statuses].every((status) => [101, 503, 200].includes(status))).toBe(true);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('app');
  });
});
