import { PregonError } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { eventLoopTurn } from '../support/fake-clock.js';
import type { FakeLink } from '../support/fake-link.js';
import { collectGarbage } from '../support/garbage.js';
import { event, events, Square } from '../support/square.js';

/** The answers, sorted by id, since handlers may finish in any order. */
function answers({ frames }: FakeLink): unknown[] {
  const answered = frames.flatMap((frame) => (frame.op === 'ack' || frame.op === 'error' ? [frame] : []));
  return answered.sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
}

describe('a message from a client', () => {
  it('[000-09] reaches the handler of its name, and is acknowledged with its return value', async () => {
    const square = await Square.open();
    square.route.handle({
      messages: { bid: async (connection, data) => ({ by: connection.id, data }), quiet: () => undefined },
    });
    const { link, connection } = square.connect();
    connection.receive({ amount: 7 }, 'bid', 3);
    connection.receive(null, 'quiet', 4);
    connection.receive(null, 'quiet', undefined);
    await eventLoopTurn();
    expect(answers(link)).toEqual([
      { op: 'ack', id: 3, data: { by: connection.id, data: { amount: 7 } } },
      { op: 'ack', id: 4 },
    ]);
  });

  it('[I-9] that is answered with a connection reveals no header, which may hold secrets', async () => {
    const square = await Square.open();
    square.route.handle({ message: (connection) => connection });
    const { link, connection } = square.connect();
    connection.receive(null, undefined, 1);
    await eventLoopTurn();
    expect(Object.keys(JSON.parse(JSON.stringify(answers(link)))[0].data)).toEqual([
      'id',
      'route',
      'transport',
      'remoteAddress',
    ]);
  });

  it('reaches all `message` handlers, in order, and is acknowledged with the first answer', async () => {
    const square = await Square.open();
    const calls: unknown[] = [];
    square.route.handle({ message: (_, data, { name }) => void calls.push(['first', data, name]) });
    square.route.handle({ message: (_, data) => calls.push(['second', data]) });
    square.route.handle({ message: () => 'late' });
    const { link, connection } = square.connect();
    connection.receive('hello', 'chat', 1);
    await eventLoopTurn();
    expect(calls).toEqual([
      ['first', 'hello', 'chat'],
      ['second', 'hello'],
    ]);
    expect(link.frames).toEqual([{ op: 'ack', id: 1, data: 2 }]);
  });

  it.each(['bid', 'toString', '__proto__', 'constructor'])(
    'without a handler of its name %s is refused',
    async (name) => {
      const square = await Square.open();
      square.route.handle({ messages: { other: () => 1 } });
      const { link, connection } = square.connect();
      connection.receive(null, name, 1);
      await eventLoopTurn();
      expect(link.frames).toMatchObject([{ op: 'error', id: 1, code: 'MESSAGE_UNKNOWN', retryable: false }]);
    },
  );

  it('[I-8] whose handler fails is answered without the reason, which only `error` handlers get', async () => {
    const square = await Square.open();
    const errors: Error[] = [];
    square.route.handle({
      error: (_, error) => errors.push(error),
      messages: {
        bad: () => {
          throw new Error('the password is 1234');
        },
        worse: () => Promise.reject('no error at all'),
        known: () => {
          throw new PregonError('FORBIDDEN', 'you are not the seller');
        },
      },
    });
    const { link, connection } = square.connect();
    for (const [id, name] of ['bad', 'worse', 'known'].entries()) connection.receive(null, name, id);
    await eventLoopTurn();
    expect(answers(link)).toMatchObject([
      { op: 'error', id: 0, code: 'HANDLER_FAILED', message: 'the handler failed' },
      { op: 'error', id: 1, code: 'HANDLER_FAILED', message: 'the handler failed' },
      { op: 'error', id: 2, code: 'FORBIDDEN', message: 'you are not the seller' },
    ]);
    expect(errors.map(({ message }) => message).sort()).toEqual([
      'no error at all',
      'the password is 1234',
      'you are not the seller',
    ]);
    expect(link.closedWith).toBeUndefined();
  });

  it.each([
    ['a bigint', (): unknown => 1n],
    [
      'a cycle',
      (): unknown => {
        const list: unknown[] = [];
        list.push(list);
        return list;
      },
    ],
    ['deeply nested data of a client', (): unknown => JSON.parse('['.repeat(200_000) + ']'.repeat(200_000))],
  ] as const)(
    '[I-8] that is answered with %s, which no frame can hold, is refused without other effects',
    async (_, answer) => {
      const square = await Square.open();
      const errors: Error[] = [];
      square.route.handle({
        error: (_connection, error) => errors.push(error),
        messages: { odd: answer, fine: () => 1 },
      });
      const { link, connection } = square.connect();
      connection.receive(null, 'odd', 1);
      connection.receive(null, 'fine', 2);
      await eventLoopTurn();
      expect(link.frames).toMatchObject([
        { op: 'error', id: 1, code: 'HANDLER_FAILED' },
        { op: 'ack', id: 2, data: 1 },
      ]);
      expect(errors).toHaveLength(1);
    },
  );

  it('is not answered after the connection has closed', async () => {
    const square = await Square.open();
    square.route.handle({ messages: { slow: () => eventLoopTurn() } });
    const { link, connection } = square.connect();
    connection.receive(null, 'slow', 1);
    connection.closed(1000, '', 0);
    await eventLoopTurn();
    await eventLoopTurn();
    expect(link.frames).toEqual([]);
  });

  it('[I-7] is not read while a hundred sends wait for their answers', async () => {
    const square = await Square.open();
    const waiting: (() => void)[] = [];
    square.route.handle({ messages: { slow: () => new Promise<void>((resolve) => waiting.push(resolve)) } });
    const { link, connection } = square.connect();
    for (let id = 0; id < 100; id++) {
      expect(link.reading).toBe(true);
      connection.receive(null, 'slow', id);
      connection.regulate();
    }
    expect(link.reading).toBe(false);
    waiting[0]?.();
    await eventLoopTurn();
    expect(link.reading).toBe(true);
  });

  it('[I-7] is not read while the client does not read', async () => {
    const square = await Square.open();
    const client = square.subscribe();
    client.link.limit = 10;
    await square.append(events(1));
    client.connection.regulate();
    expect(client.link.reading).toBe(false);
    await square.drain(client);
    expect(client.link.reading).toBe(true);
  });
});

describe('a connection', () => {
  it('gets a welcome first, then belongs to its route', async () => {
    const square = await Square.open();
    const seen: unknown[] = [];
    square.route.handle({ opened: (connection) => seen.push([connection.id, square.route.connections.count]) });
    const { link, connection } = square.connect();
    expect(link.received[0]).toEqual({ op: 'welcome', connection: connection.id, heartbeatMs: 25_000 });
    expect(seen).toEqual([[connection.id, 1]]);
  });

  it('leaves its route when it closes, and its handlers are told once, with code and reason', async () => {
    const square = await Square.open();
    const seen: unknown[] = [];
    square.route.handle({ closed: (connection, close) => seen.push([connection.isOpen, close]) });
    const { connection } = square.subscribe();
    connection.closed(1001, 'going', 0);
    connection.closed(1006, '', 0);
    expect(seen).toEqual([[false, { code: 1001, reason: 'going' }]]);
    expect(square.route.connections.count).toBe(0);
    expect(square.hub.subscriptions).toBe(0);
  });

  it('has unique subscription ids, and a limited number of them', async () => {
    const square = await Square.open();
    const { connection } = square.connect();
    connection.subscribe(1, undefined, undefined);
    expect(() => connection.subscribe(1, undefined, undefined)).toThrow(expect.objectContaining({ code: 'ID_IN_USE' }));
    for (let id = 2; id <= 100; id++) connection.subscribe(id, undefined, undefined);
    expect(() => connection.subscribe(101, undefined, undefined)).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_SUBSCRIPTIONS' }),
    );
    expect(() => connection.unsubscribe(101)).toThrow(expect.objectContaining({ code: 'SUBSCRIPTION_UNKNOWN' }));
    connection.unsubscribe(50);
    connection.subscribe(101, undefined, undefined);
    expect(square.hub.subscriptions).toBe(100);
  });

  it('[I-7] has a limited number of words in its topic patterns, so that the index does not grow without limit', async () => {
    const square = await Square.open();
    const { connection } = square.connect();
    const costly = (id: number) => Array.from({ length: 1_000 }, (_, n) => `${id}.${n}.${'*.'.repeat(100)}x`);
    await collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let id = 0; id < 50; id++) {
      const topics = costly(id);
      expect(() => connection.subscribe(id, topics, undefined)).toThrow(
        expect.objectContaining({ code: 'TOO_MANY_SUBSCRIPTIONS' }),
      );
      connection.subscribe(id, topics.slice(0, 1), undefined);
    }
    await collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    // Common patterns are far from the limit, and patterns that were released can be used again.
    for (let id = 0; id < 50; id++) connection.unsubscribe(id);
    connection.subscribe(
      1,
      Array.from({ length: 1_000 }, (_, n) => `auction.${n}.#`),
      undefined,
    );
    expect(square.hub.subscriptions).toBe(1);
  });

  it('cannot get a snapshot if its route has none', async () => {
    const square = await Square.open();
    const { connection } = square.connect();
    expect(() => connection.subscribe(1, undefined, undefined, { snapshot: true })).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_NOT_OFFERED' }),
    );
  });

  it('[I-2] has a cursor for each subscription: each gets its own events, whatever the others want', async () => {
    const square = await Square.open();
    const [first = ''] = await square.append([event('a'), event('b'), event('a')]);
    const { link, connection } = square.connect();
    connection.subscribe(1, ['a'], undefined);
    connection.subscribe(2, ['a', 'b'], first);
    await square.append([event('b'), event('a')]);
    const topics = (id: number) =>
      link.received.flatMap((received) =>
        received.op === 'event' && received.id === id ? [received.event.topic] : [],
      );
    expect(topics(1)).toEqual(['a']);
    expect(topics(2)).toEqual(['b', 'a', 'b', 'a']);
  });
});

describe('an ephemeral message', () => {
  it('[000-09] is broadcast to all except the excluded connection and full ones, and encoded once', async () => {
    const square = await Square.open();
    const [from, a, full, b] = [square.connect(), square.connect(), square.connect(), square.connect()];
    full.link.limit = -1;
    expect(square.route.connections.broadcast({ text: 'hi' }, { except: from.connection, name: 'chat' })).toBe(2);
    const [one] = a.link.frames;
    expect(one).toMatchObject({ op: 'ephemeral', message: { name: 'chat', data: { text: 'hi' } } });
    const [other] = b.link.frames;
    expect(one?.op === 'ephemeral' && other?.op === 'ephemeral' && one.message === other.message).toBe(true);
    expect([...from.link.frames, ...full.link.frames]).toEqual([]);
    expect([...square.route.connections].map(({ id }) => id)).toHaveLength(4);
  });

  it('is not sent to a closed or full connection, and the sender is told', async () => {
    const square = await Square.open();
    const { link, connection } = square.connect();
    expect(connection.send('a')).toBe(true);
    link.limit = -1;
    expect(connection.send('b')).toBe(false);
    link.limit = 100;
    connection.closed(1000, '', 0);
    expect(connection.send('c')).toBe(false);
    expect(link.frames).toHaveLength(1);
  });
});
