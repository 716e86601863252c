import { CLOSE_CODES, decodePosition } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../src/core/delivery/chunk.js';
import { eventLoopTurn } from './support/fake-clock.js';
import { FakeLink } from './support/fake-link.js';
import { collectGarbage } from './support/garbage.js';
import { event, events, Square } from './support/square.js';

function ids(of: readonly { id: string }[]): string[] {
  return of.map(({ id }) => id);
}

describe('a subscription at the edge', () => {
  it('[I-1] gets new events in order, after it was told where it begins', async () => {
    const square = await Square.open();
    await square.append(events(3));
    const { link } = square.subscribe();
    const live = events(3);
    await square.append(live);
    expect(link.frames).toEqual([{ op: 'subscribed', id: 1, position: expect.any(String), recovered: false }]);
    expect(link.received[1]?.op).toBe('subscribed');
    expect(link.eventIds).toEqual(ids(live));
  });

  it('gets an event in the same call that delivers it, if nothing was flushed lately', async () => {
    const square = await Square.open({ flushIntervalMs: 50 });
    const { link } = square.subscribe();
    square.log.holdFollowers();
    await square.append(events(1));
    expect(link.delivered).toHaveLength(0);
    square.log.tellFollowers();
    expect(link.delivered).toHaveLength(1);
  });

  it('[000-17] gets only events that match its topics and the route', async () => {
    const square = await Square.open({ route: { topics: ['user.#'], exchanges: ['users'] } });
    const { link } = square.subscribe({ topics: ['*.1.*', 'user.2.#'] });
    const wanted = [event('user.1.created', { exchange: 'users' }), event('user.2.x.y', { exchange: 'users' })];
    await square.append([
      event('user.1.created', { exchange: 'other' }),
      event('shop.1.created', { exchange: 'users' }),
      event('user.3.created', { exchange: 'users' }),
      ...wanted,
    ]);
    expect(link.eventIds).toEqual(ids(wanted));
  });

  it('[I-3] gets an event once even if several of its patterns match', async () => {
    const square = await Square.open();
    const { link } = square.subscribe({ topics: ['a.#', '#.b', 'a.*', '*.b'] });
    await square.append([event('a.b')]);
    expect(link.delivered).toHaveLength(1);
  });

  it('gets nothing after it has ended', async () => {
    const square = await Square.open();
    const { link, connection } = square.subscribe();
    connection.unsubscribe(1);
    await square.append(events(2));
    expect(link.delivered).toHaveLength(0);
    expect(link.frames.at(-1)).toEqual({ op: 'unsubscribed', id: 1 });
    expect(square.hub.subscriptions).toBe(0);
  });
});

describe('a subscription that is behind', () => {
  const places = [
    ['the history window', 10_000_000],
    ['the log', 0],
    ['the log, then the window', 3_000],
  ] as const;

  it.each(places)('[I-2] gets the events since its position from %s, then live events', async (_, historyBytes) => {
    const square = await Square.open({ historyBytes });
    const before = await square.append(events(20));
    const missed = events(30);
    await square.append(missed);
    const { link } = square.subscribe({ since: before.at(-1) ?? '' });
    const live = events(2);
    await square.append(live);
    expect(link.frames).toEqual([{ op: 'subscribed', id: 1, position: before.at(-1), recovered: true, behind: 30 }]);
    // The subscription has caught up.
    expect(link.checkpoints).toHaveLength(1);
    expect(link.received.findIndex(({ op }) => op === 'checkpoint')).toBeGreaterThanOrEqual(32);
    expect(link.eventIds).toEqual(ids([...missed, ...live]));
  });

  it.each(places)('[I-2] with since=first gets all retained events, from %s', async (_, historyBytes) => {
    const square = await Square.open({ historyBytes });
    const all = events(50);
    await square.append(all);
    await square.log.inner.trim({ maxCount: 40 });
    const { link } = square.subscribe({ since: 'first' });
    await square.clock.settle();
    expect(link.eventIds.slice(-40)).toEqual(ids(all.slice(-40)));
    expect(link.frames[0]).toMatchObject({ op: 'subscribed', recovered: true });
  });

  it('[I-2] waits for a position that this gateway has not reached yet', async () => {
    const square = await Square.open();
    square.log.holdFollowers();
    const ahead = await square.append(events(5));
    const { link } = square.subscribe({ since: ahead[2] ?? '' });
    await square.clock.settle();
    expect(link.frames).toEqual([{ op: 'subscribed', id: 1, position: ahead[2], recovered: true }]);
    square.log.tellFollowers();
    await square.append(events(1));
    expect(link.delivered.map(({ position }) => position).slice(0, 2)).toEqual(ahead.slice(3));
    expect(link.delivered).toHaveLength(3);
  });

  it('[I-3] is served once, however often its connection drains during a read of the log', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(1));
    const missed = events(20, 'a', { data: 'x'.repeat(10_000) });
    await square.append(missed);
    const gate = square.log.hold('read', 'after');
    const { link, connection } = square.subscribe({ since });
    for (let held = 0; held < 6; held++) {
      await square.clock.settle();
      for (let i = 0; i < 3; i++) connection.drained();
      gate.letOne();
    }
    gate.open();
    await square.clock.settle();
    expect(link.eventIds).toEqual(ids(missed));
  });

  it('causes no write for events of others', async () => {
    const square = await Square.open({ historyBytes: 2_000 });
    const [since = ''] = await square.append(events(30));
    const { link } = square.subscribe({ since, topics: ['nothing'] });
    await square.append(events(3));
    expect(link.buffers).toEqual([]);
    expect(link.frames).toHaveLength(1);
  });

  it('can try again if the first read of the log failed', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [since = ''] = await square.append(events(3));
    square.log.fail('read', new Error('the disk is away'));
    const first = square.subscribe({ since });
    await square.clock.settle();
    const second = square.subscribe({ since });
    await square.clock.settle();
    expect(first.link.delivered).toHaveLength(0);
    expect(second.link.delivered).toHaveLength(2);
  });

  it('leaves time for others in a long replay, with a few chunks in each turn', async () => {
    const square = await Square.open({ historyBytes: 100_000_000 });
    await square.append(Array.from({ length: 40 }, () => event('t', { data: 'x'.repeat(CHUNK_BYTES) })));
    const { link } = square.subscribe({ since: 'first' });
    await eventLoopTurn();
    const perTurn = [link.delivered.length];
    while (square.clock.turns > 0) {
      const before = link.delivered.length;
      square.clock.turn();
      perTurn.push(link.delivered.length - before);
    }
    // The replay ends in the last turn.
    expect(perTurn).toEqual([8, 8, 8, 8, 8, 0]);
  });
});

describe('a full link', () => {
  it('[I-7][G-2] gets nothing more; events in the meantime are read again when it has drained', async () => {
    const square = await Square.open();
    const link = new FakeLink();
    link.limit = 100;
    const client = square.subscribe({ link });
    const all = events(200, 'a', { data: 'x'.repeat(1_000) });
    for (const one of all) await square.append([one]);
    expect(link.delivered.length).toBeLessThan(3);
    expect(link.overfilled).toBe(0);
    await square.drain(client);
    expect(link.eventIds).toEqual(ids(all));
    expect(link.overfilled).toBe(0);
    expect(link.peak).toBeLessThan(CHUNK_BYTES * 2);
  });

  it('[I-7] with many subscriptions, each of which reads the log, gets at most one chunk too much', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [first] = await square.append(events(1));
    await square.append(events(20, 'a', { data: 'x'.repeat(10_000) }));
    const link = new FakeLink();
    link.limit = 10_000;
    const client = square.connect(link);
    const gate = square.log.hold('read', 'after');
    for (let id = 1; id <= 50; id++) client.connection.subscribe(id, ['#', `x.${id}`], first);
    await square.clock.settle();
    gate.open();
    await square.clock.settle();
    expect(link.overfilled).toBe(0);
    expect(link.peak).toBeLessThan(link.limit + CHUNK_BYTES * 2);
    await square.drain(client);
    expect(link.delivered).toHaveLength(50 * 20);
  });

  it('[I-8] delays no other link', async () => {
    const square = await Square.open();
    const slow = square.subscribe();
    slow.link.limit = -1;
    const fast = square.subscribe();
    const all = events(10);
    for (const [count, one] of all.entries()) {
      await square.append([one]);
      expect(fast.link.delivered).toHaveLength(count + 1);
    }
    expect(slow.link.delivered).toHaveLength(0);
  });

  it('is told where its subscription begins only when it has room, and then gets every later event', async () => {
    const square = await Square.open();
    const link = new FakeLink();
    link.limit = 0;
    link.bufferedBytes = 1;
    const client = square.subscribe({ link });
    const missed = events(3);
    await square.append(missed);
    expect(link.frames).toEqual([]);
    link.limit = 1_000_000;
    client.connection.drained();
    expect(link.frames).toMatchObject([{ op: 'subscribed', recovered: false }]);
    expect(link.eventIds).toEqual(ids(missed));
  });

  it('[I-3] that drains during a flush does not get its chunk twice', async () => {
    const square = await Square.open();
    const late = new FakeLink();
    late.limit = -1;
    const eager = new FakeLink();
    const behind = square.subscribe({ link: late });
    square.subscribe({ link: eager });
    await square.append(events(1));
    const audienceMate = square.subscribe();
    // This transport reports the drain of one connection while it writes to another.
    eager.onEvents = () => {
      late.limit = Number.POSITIVE_INFINITY;
      behind.connection.drained();
    };
    await square.append(events(1));
    await square.append(events(1));
    for (const { delivered } of [late, eager]) expect(new Set(ids(delivered)).size).toBe(delivered.length);
    expect(late.delivered).toHaveLength(3);
    expect(audienceMate.link.delivered).toHaveLength(2);
  });
});

describe('the hub', () => {
  it('[I-7] releases subscriptions, even those that ended while they were opened or read the log', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [position] = await square.append(events(3));
    const gates = [square.log.hold('check', 'before'), square.log.hold('read', 'after')];
    for (const gate of gates) {
      const client = square.subscribe({ since: position ?? '' });
      await square.clock.settle();
      expect(gate.waiting).toBe(1);
      client.connection.closed(1000, '', 0);
      gate.open();
      await square.clock.settle();
      expect(client.link.delivered).toHaveLength(0);
    }
    expect(square.hub.subscriptions).toBe(0);
  });

  it('[I-7] keeps nothing of a filter without subscriptions', async () => {
    const square = await Square.open();
    const { link, connection } = square.connect();
    await collectGarbage();
    const before = process.memoryUsage().heapUsed;
    // If they were kept, they would take 40 MB.
    for (let id = 0; id < 30_000; id++) {
      connection.subscribe(id, [`user.${id}.#`], undefined);
      connection.unsubscribe(id);
    }
    link.received.length = 0;
    await collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(15_000_000);
    // The hub is still in use, so it is not collected as a whole.
    expect(square.hub.subscriptions).toBe(0);
  });

  it('moves its edge past events of other exchanges, so that no subscription is behind because of them', async () => {
    const square = await Square.open({ route: { exchanges: ['mine'] } });
    square.subscribe();
    const [position] = await square.append([event('a', { exchange: 'other' })]);
    expect(square.hub.edge).toEqual(decodePosition(position ?? ''));
  });

  it('reports when the log is unavailable and when it is back, and continues where it was', async () => {
    const square = await Square.open();
    const { link } = square.subscribe();
    const away = new Error('the disk is away');
    square.log.tellAway(away);
    expect(square.told).toEqual([{ state: 'unavailable', error: away }]);
    square.log.tellBack();
    expect(square.told).toEqual([{ state: 'unavailable', error: away }, { state: 'available' }]);
    await square.append(events(1));
    expect(link.delivered).toHaveLength(1);
    expect(link.closedWith).toBeUndefined();
  });

  it('ends the connections that need a log that cannot be read, and no others', async () => {
    const square = await Square.open({ historyBytes: 0 });
    const [position = ''] = await square.append(events(3));
    square.log.fail('read', new Error('the disk is away'));
    const live = square.subscribe();
    const behind = square.subscribe({ since: position });
    await square.append(events(1));
    expect(behind.link.closedWith).toEqual(CLOSE_CODES.LOG_UNAVAILABLE);
    expect(live.link.closedWith).toBeUndefined();
    expect(live.link.delivered).toHaveLength(1);
    expect(square.hub.subscriptions).toBe(1);
  });

  it('ends all subscriptions when it is closed', async () => {
    const square = await Square.open();
    const { link } = square.subscribe();
    await square.hub.close();
    await square.append(events(1));
    expect(link.delivered).toHaveLength(0);
    expect(square.hub.subscriptions).toBe(0);
  });
});
