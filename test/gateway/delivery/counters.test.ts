import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import {
  type CounterSource,
  type Delivery,
  type DeliveryCounters,
  type GatewayOptions,
  type Observer,
  positionsOf,
  type TransportName,
} from 'pregon';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { openTestLog, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient, type Transports } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { eventually } from '../../support/waiting.js';

/** More events than the history window of these tests can hold. */
const MANY = 500;
const LIVE = 20;

const routes = { events: { path: '/events' }, others: { path: '/others', topics: ['other.#'] } };

/** Starts a gateway with readable counters; returns the reported deliveries too. */
async function startCounted(options: Partial<GatewayOptions> = {}) {
  const deliveries: Delivery[] = [];
  const refused: string[] = [];
  let source: CounterSource | undefined;
  const observer: Observer = {
    started: (counters) => {
      source = counters;
    },
    delivered: (delivery) => deliveries.push(delivery),
    subscribeRefused: ({ transport }, { code }) => refused.push(`${transport} ${code}`),
  };
  const gateway = await startGateway({ observers: [observer], routes, historyBytes: 20_000, ...options });
  if (!source) throw new Error('the gateway did not call started() of the observer');
  return { ...gateway, counters: source, deliveries, refused };
}

function countersOf(source: CounterSource, transport: TransportName, route = 'events'): DeliveryCounters {
  const found = source
    .read()
    .deliveries.find((counters) => counters.route === route && counters.transport === transport);
  if (!found) throw new Error(`there are no counters for ${transport} on ${route}`);
  return found;
}

/** Opens a client. The returned function returns the number of events that the client has received. */
type Open = (gateway: TestGateway, since?: 'first') => Promise<() => number>;

const query = (since: string | undefined) => (since ? `?since=${since}` : '');

function openSocketIo(transports: Transports): Open {
  return async ({ http }, since) => {
    const client = await SocketIoClient.open(http('/events'), { transports: [...transports], auth: { since } });
    await client.count('subscribed', 1);
    return () => client.of('event').length;
  };
}

const WAYS: readonly (readonly [name: string, transport: TransportName, open: Open])[] = [
  [
    'plain WebSocket',
    'websocket',
    async ({ ws }, since) => {
      const client = await PlainClient.open(ws(`/events${query(since)}`));
      return () => client.events.all.length;
    },
  ],
  [
    'pregon.v1, two subscriptions',
    'pregon.v1',
    async ({ ws }, since) => {
      const client = await FramesClient.open(ws('/events'));
      await client.subscribe({ id: 1, ...(since ? { since } : {}) });
      await client.subscribe({ id: 2, topics: ['n.#'], ...(since ? { since } : {}) });
      return () => client.events(1).length + client.events(2).length;
    },
  ],
  [
    'SSE',
    'sse',
    async ({ http }, since) => {
      const client = await StreamClient.open(http(`/events${query(since)}`));
      return () => client.events.all.length;
    },
  ],
  ['Socket.IO by WebSocket', 'socket.io', openSocketIo(['websocket'])],
  ['Socket.IO by long polling', 'socket.io', openSocketIo(['polling'])],
];

describe('counters of a gateway', () => {
  it.each(WAYS)(
    '[I-12] equal the events that clients received, live and after resuming: %s',
    async (_, transport, open) => {
      const counted = await startCounted();
      const { append, counters, deliveries } = counted;
      await append(MANY);
      await eventually(
        async () => (await counters.lag()).offsets,
        (offsets) => offsets === 0,
      );
      const live = [await open(counted), await open(counted)];
      const caughtUp = await open(counted, 'first');
      const factor = transport === 'pregon.v1' ? 2 : 1;
      await eventually(
        async () => caughtUp(),
        (count) => count >= MANY * factor,
      );
      await eventually(
        async () => countersOf(counters, transport).subscriptions,
        ({ live: atEdge }) => atEdge === 3 * factor,
      );
      for (let n = 0; n < LIVE; n++) await append(1);
      await eventually(
        async () => caughtUp(),
        (count) => count === (MANY + LIVE) * factor,
      );
      for (const received of live)
        await eventually(
          async () => received(),
          (count) => count === LIVE * factor,
        );

      const received = [...live, caughtUp].reduce((sum, count) => sum + count(), 0);
      const { events, caughtUp: behind, connections, subscriptions } = countersOf(counters, transport);
      expect({ events, connections, subscriptions }).toEqual({
        events: received,
        connections: 3,
        subscriptions: { live: 3 * factor, behind: 0 },
      });
      expect(behind).toBe(MANY * factor);
      expect(deliveries.reduce((sum, delivery) => sum + delivery.deliveries, 0)).toBe(events - behind);
      for (const { chunks } of deliveries) expect(chunks.length).toBeGreaterThan(0);
      const { log } = counters.read();
      expect(log.eventsRead).toEqual({ events: MANY + LIVE });
      expect(log.pages.reads).toBeGreaterThan(0);
      expect(log.pages.events).toBeGreaterThan(0);
      expect(log.waiting).toEqual({ events: 0, bytes: 0 });
    },
  );

  it('come with one call of delivered() per flush for each filter, route and transport', async () => {
    const { ws, http, append, deliveries, counters } = await startCounted({ flushIntervalMs: 50 });
    for (let n = 0; n < 5; n++) await PlainClient.open(ws('/events'));
    for (let n = 0; n < 3; n++) await StreamClient.open(http('/events'));
    await PlainClient.open(ws('/others'));
    await eventually(
      async () => countersOf(counters, 'websocket').subscriptions.live,
      (live) => live === 5,
    );
    await eventually(
      async () => countersOf(counters, 'websocket', 'others').subscriptions.live,
      (live) => live === 1,
    );
    await append(10);
    await append(1, { topic: () => 'other.1' });
    await eventually(
      async () => countersOf(counters, 'sse').events,
      (events) => events === 33,
    );
    await eventually(
      async () => countersOf(counters, 'websocket', 'others').events,
      (events) => events === 1,
    );
    expect(countersOf(counters, 'websocket').events).toBe(55);
    // Far fewer than one call for each of the 89 deliveries.
    expect(deliveries.length).toBeLessThanOrEqual(7);
    expect(new Set(deliveries.map(({ route, transport }) => `${route} ${transport}`))).toEqual(
      new Set(['events websocket', 'events sse', 'others websocket']),
    );
  });

  it('have the bytes that the sockets of clients received, before and after they close', async () => {
    const { ws, append, counters } = await startCounted();
    const client = new PlainClient(ws('/events'));
    const upgraded = once(client.socket, 'upgrade');
    await client.opened();
    const [response] = await upgraded;
    if (!(response instanceof IncomingMessage)) throw new TypeError('the upgrade has no response');
    await eventually(
      async () => countersOf(counters, 'websocket').subscriptions.live,
      (live) => live === 1,
    );
    await append(100, { padding: 1_000 });
    await client.events.count(100);
    expect(countersOf(counters, 'websocket').bytes).toBe(response.socket.bytesRead);
    await client.close();
    await eventually(
      async () => countersOf(counters, 'websocket').connections,
      (open) => open === 0,
    );
    expect(countersOf(counters, 'websocket').bytes).toBe(response.socket.bytesRead);
    expect(countersOf(counters, 'websocket')).toMatchObject({ events: 100, subscriptions: { live: 0, behind: 0 } });
  });

  it('count a slow client as behind, and its later deliveries as caught up', async () => {
    const { ws, append, counters } = await startCounted();
    const client = await PlainClient.open(ws('/events'));
    await eventually(
      async () => countersOf(counters, 'websocket').subscriptions.live,
      (live) => live === 1,
    );
    client.socket.pause();
    for (let n = 0; n < 40; n++) await append(10, { padding: 30_000 });
    await eventually(
      async () => countersOf(counters, 'websocket').subscriptions.behind,
      (behind) => behind === 1,
    );
    client.socket.resume();
    await client.events.count(400);
    await eventually(
      async () => countersOf(counters, 'websocket').subscriptions.live,
      (live) => live === 1,
    );
    const { events, caughtUp } = countersOf(counters, 'websocket');
    expect(events).toBe(400);
    expect(caughtUp).toBeGreaterThan(0);
    expect(caughtUp).toBeLessThan(400);
  });

  it('count resumed, reset and refused subscriptions, and refused ones are reported', async () => {
    const { ws, append, counters, refused } = await startCounted();
    await append(3);
    const other = await openTestLog(join(temporaryFolder(), 'other.db'));
    const foreign = (await positionsOf(other)).encode(await other.head());
    const client = await FramesClient.open(ws('/events'));
    await client.subscribe({ id: 1, since: 'first' });
    await client.numbers(1, 3);
    const since = client.events(1)[1]?.position ?? '';
    await client.subscribe({ id: 2, since });
    await client.subscribe({ id: 3, since: foreign });
    expect(await client.subscribe({ id: 1 })).toMatchObject({ op: 'error', code: 'ID_IN_USE' });
    expect(await client.subscribe({ id: 4, snapshot: true })).toMatchObject({ op: 'error' });
    expect(refused).toEqual(['pregon.v1 ID_IN_USE', 'pregon.v1 SNAPSHOT_NOT_OFFERED']);
    const { resumed, resets, refusedSubscribes } = countersOf(counters, 'pregon.v1');
    expect({ resumed, refusedSubscribes }).toEqual({ resumed: 1, refusedSubscribes: 2 });
    expect(resets).toEqual({ replaced: 1, truncated: 0, rights: 0 });
    expect(client.controls('reset')).toHaveLength(1);
  });

  it('tell how far the gateway is behind the log', async () => {
    const { log, append, counters } = await startCounted({ flushIntervalMs: 300 });
    expect(await counters.lag()).toEqual({ offsets: 0, oldestTime: undefined });
    await append(1);
    await eventually(
      async () => (await counters.lag()).offsets,
      (offsets) => offsets === 0,
    );
    await log.append([
      {
        specversion: '1.0',
        id: 'a',
        source: '/a',
        type: 'T',
        topic: 'a',
        exchange: 'events',
        time: '2026-01-01T00:00:00Z',
      },
    ]);
    expect(await counters.lag()).toEqual({ offsets: 1, oldestTime: '2026-01-01T00:00:00Z' });
    await eventually(
      async () => (await counters.lag()).offsets,
      (offsets) => offsets === 0,
    );
  });

  it('are optional: clients get their events if no observer reads counters', async () => {
    let opened = 0;
    const observer: Observer = { opened: () => (opened += 1) };
    const { ws, append } = await startGateway({ observers: [observer] });
    const client = await PlainClient.open(ws('/events'));
    await append(1);
    await client.events.count(1);
    expect(opened).toBe(1);
  });
});
