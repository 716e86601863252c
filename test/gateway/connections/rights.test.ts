import type { Admission, Rights } from 'pregon';
import { describe, expect, it } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

const EVEN: Rights = {
  subscribe: ['n.even.#'],
  send: new Set(['bid']),
  broadcast: false,
  publish: [],
  isService: false,
  key: 'even',
};

/** Admits every client with the identity `ada`, who may see the even numbers. */
function start(expiresInMs?: number): Promise<TestGateway> {
  const admission: Admission = {
    name: 'test',
    admit: ({ entrance }) => ({
      identity: {
        iss: 'test',
        sub: 'ada',
        ...(expiresInMs === undefined ? {} : { expiresAtMs: Date.now() + expiresInMs }),
      },
      ...(entrance.kind === 'route' ? { rights: EVEN } : {}),
    }),
  };
  return startGateway({
    admissions: [admission],
    routes: { events: { path: '/events', handlers: [{ messages: { bid: () => 'taken', other: () => 'taken' } }] } },
  });
}

const topic = (n: number) => (n % 2 === 0 ? `n.even.${n}` : `n.odd.${n}`);

/** Opens a client with a query on a transport, and collects the numbers that it gets. */
const TRANSPORTS: Readonly<Record<string, (gateway: TestGateway, query: string) => Promise<() => number[]>>> = {
  async 'plain WebSocket'({ ws }, query) {
    const { events } = await PlainClient.open(ws(`/events${query}`));
    return () => events.all.map(numberIn);
  },
  async 'an event stream'({ http }, query) {
    const client = new StreamClient(http(`/events${query}`));
    return () => client.events.all.map(numberIn);
  },
  async 'Socket.IO'({ http }, query) {
    const since = new URLSearchParams(query).get('since');
    const client = await SocketIoClient.open(http('/events'), since === null ? {} : { auth: { since } });
    return () => client.received.all.filter(({ name }) => name === 'event').map(({ args: [event] }) => numberIn(event));
  },
};

function numberIn(event: unknown): number {
  return Number(Reflect.get(Object(Reflect.get(Object(event), 'data')), 'n'));
}

describe.each(Object.entries(TRANSPORTS))('[I-9] [H-03] Rights on %s', (_, open) => {
  it('narrow what is live and what is replayed', async () => {
    const gateway = await start();
    await gateway.append(6, { topic });
    const replayed = await open(gateway, '?since=first');
    await expect.poll(replayed).toEqual([2, 4, 6]);
    await gateway.append(4, { topic });
    await expect.poll(replayed).toEqual([2, 4, 6, 8, 10]);
  });
});

describe('[I-9] [H-03] Rights on pregon.v1', () => {
  it('refuse topics outside them with FORBIDDEN, whatever the position, and allow a part of them', async () => {
    const gateway = await start();
    await gateway.append(6, { topic });
    const client = await FramesClient.open(gateway.ws('/events'));
    for (const since of [undefined, 'first', 'nonsense']) {
      const told = await client.subscribe({ id: 1, topics: ['n.odd.#'], ...(since === undefined ? {} : { since }) });
      expect(told).toMatchObject({ op: 'error', id: 1, code: 'FORBIDDEN' });
    }
    expect(await client.subscribe({ id: 2, topics: ['n.even.4'], since: 'first' })).toMatchObject({ op: 'subscribed' });
  });

  it('refuse a message whose name is not allowed, and allow another', async () => {
    const client = await FramesClient.open((await start()).ws('/events'));
    client.send({ op: 'send', id: 1, name: 'bid' });
    client.send({ op: 'send', id: 2, name: 'other' });
    client.send({ op: 'send', id: 3, name: 'unknown' });
    const answers = () => [
      ...client.controls('ack').map(({ id, op }) => [id, op]),
      ...client.controls('error').map(({ id, code }) => [id, code]),
    ];
    await expect.poll(answers).toEqual(
      expect.arrayContaining([
        [1, 'ack'],
        [2, 'FORBIDDEN'],
        [3, 'FORBIDDEN'],
      ]),
    );
  });
});

describe('[I-11] [H-05] An identity that has expired', () => {
  it('gets nothing 5 seconds later, and is closed with 4005, on every transport', async () => {
    // In the past, so that the test waits for the leeway only.
    const gateway = await start(-4_000);
    const plain = await PlainClient.open(gateway.ws('/events'));
    const frames = await FramesClient.open(gateway.ws('/events'));
    const ended: string[] = [];
    plain.socket.on('close', (code) => ended.push(`plain ${code}`));
    frames.socket.on('close', (code) => ended.push(`frames ${code}`));
    const stream = new StreamClient(gateway.http('/events'));
    const socketIo = await SocketIoClient.open(gateway.http('/events'), { reconnection: false });
    socketIo.socket.on('disconnect', (reason) => ended.push(reason));
    await gateway.append(2, { topic });
    await plain.events.count(1);
    await expect.poll(() => gateway.gateway.connections('events').count).toBeLessThanOrEqual(4);
    await stream.block('closing');
    stream.source.close();
    await expect.poll(() => ended.length).toBe(3);
    expect(ended.sort()).toEqual(['frames 4005', 'plain 4005', 'transport close']);
  });
});
