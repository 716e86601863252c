import { CLOSE_CODES, encodePosition } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../../src/core/connections/heartbeat.js';
import { FakeLink } from '../support/fake-link.js';
import { event, events, Square } from '../support/square.js';

const HEARTBEAT_MS = 8_000;
const STALL_MS = 30_000;

async function open(): Promise<{ square: Square; heartbeat: Heartbeat }> {
  const square = await Square.open();
  return { square, heartbeat: new Heartbeat(HEARTBEAT_MS, STALL_MS, square.clock) };
}

describe('Heartbeat', () => {
  it('[001-12] visits each connection once per interval, evenly spread, and first a whole interval after it opened', async () => {
    const { square, heartbeat } = await open();
    const visits: { name: number; at: number }[] = [];
    for (let name = 0; name < 16; name++) {
      const { link, connection } = square.connect();
      link.ping = () => {
        visits.push({ name, at: square.clock.now() });
        return false;
      };
      heartbeat.add(connection);
      square.clock.advance(HEARTBEAT_MS / 16);
    }
    square.clock.advance(HEARTBEAT_MS * 3);
    for (let name = 0; name < 16; name++) {
      const at = visits.filter((visit) => visit.name === name).map((visit) => visit.at);
      const came = (name * HEARTBEAT_MS) / 16;
      expect(at[0]).toBeGreaterThanOrEqual(came + (HEARTBEAT_MS * 7) / 8);
      expect(at[0]).toBeLessThanOrEqual(came + HEARTBEAT_MS);
      expect(at.slice(1).every((time, index) => time - (at[index] ?? 0) === HEARTBEAT_MS)).toBe(true);
    }
    expect(new Set(visits.map(({ at }) => at % HEARTBEAT_MS)).size).toBe(8);
  });

  it('[001-12] closes a connection without a sign of life with 4001, and no other', async () => {
    const { square, heartbeat } = await open();
    const [dead, alive] = [square.connect(), square.connect()];
    for (const { connection } of [dead, alive]) heartbeat.add(connection);
    for (let beat = 0; beat < 5; beat++) {
      square.clock.advance(HEARTBEAT_MS);
      alive.connection.heard(square.clock.now());
    }
    expect(dead.link.closedWith).toEqual(CLOSE_CODES.HEARTBEAT_MISSED);
    expect(CLOSE_CODES.HEARTBEAT_MISSED.code).toBe(4001);
    expect(alive.link.closedWith).toBeUndefined();
    expect(alive.link.pings).toBe(5);
  });

  it('expects no answer on a transport that cannot give one', async () => {
    const { square, heartbeat } = await open();
    const { link, connection } = square.connect(new FakeLink('sse'));
    link.canPing = false;
    heartbeat.add(connection);
    square.clock.advance(HEARTBEAT_MS * 10);
    expect(link.pings).toBe(10);
    expect(link.closedWith).toBeUndefined();
  });

  it('stops, and does not visit closed connections', async () => {
    const { square, heartbeat } = await open();
    const { link, connection } = square.connect();
    heartbeat.add(connection);
    heartbeat.delete(connection);
    square.clock.advance(HEARTBEAT_MS * 2);
    expect(link.pings).toBe(0);
    heartbeat.stop();
    expect(square.clock.timers).toBe(0);
  });

  it('stops for good even if it is stopped during a visit', async () => {
    const { square, heartbeat } = await open();
    const { link, connection } = square.connect();
    link.ping = () => {
      heartbeat.stop();
      return true;
    };
    heartbeat.add(connection);
    square.clock.advance(HEARTBEAT_MS);
    expect(square.clock.timers).toBe(0);
  });
});

describe('a client that reads slowly', () => {
  it('[G-2] is not closed as long as it takes anything, although it answers no ping', async () => {
    const { square, heartbeat } = await open();
    const { link, connection } = square.subscribe();
    link.limit = 100;
    heartbeat.add(connection);
    await square.append(events(1, 'a', { data: 'x'.repeat(2_000) }));
    for (let beat = 0; beat < 20; beat++) {
      link.read(50);
      square.clock.advance(HEARTBEAT_MS);
    }
    expect(link.bufferedBytes).toBeGreaterThan(0);
    expect(link.closedWith).toBeUndefined();
    expect(link.pings).toBe(0);
  });

  it('has a whole interval to answer the first ping after it has caught up', async () => {
    const { square, heartbeat } = await open();
    const client = square.subscribe();
    const { link } = client;
    link.limit = 100;
    heartbeat.add(client.connection);
    await square.append(events(1, 'a', { data: 'x'.repeat(2_000) }));
    for (let beat = 0; beat < 5; beat++) {
      link.read(50);
      square.clock.advance(HEARTBEAT_MS);
    }
    link.limit = Number.POSITIVE_INFINITY;
    await square.drain(client);
    square.clock.advance(HEARTBEAT_MS);
    expect(link.pings).toBe(1);
    expect(link.closedWith).toBeUndefined();
  });

  it('is closed with 4002 once it has taken nothing for longer than stallTimeoutMs', async () => {
    const { square, heartbeat } = await open();
    const { link, connection } = square.subscribe();
    link.limit = 100;
    heartbeat.add(connection);
    await square.append(events(1, 'a', { data: 'x'.repeat(2_000) }));
    square.clock.advance(HEARTBEAT_MS + STALL_MS - 1);
    expect(link.closedWith).toBeUndefined();
    square.clock.advance(HEARTBEAT_MS + 1);
    expect(link.closedWith).toEqual(CLOSE_CODES.STALLED);
    expect(CLOSE_CODES.STALLED.code).toBe(4002);
  });
});

describe('checkpoints', () => {
  it('tell a subscription without matching events its position, once for each move of the edge', async () => {
    const { square, heartbeat } = await open();
    const client = square.subscribe({ topics: ['never'] });
    heartbeat.add(client.connection);
    const beat = () => {
      client.connection.heard(square.clock.now());
      square.clock.advance(HEARTBEAT_MS);
    };
    beat();
    await square.append([event('other')]);
    const [position] = await square.append([event('other')]);
    beat();
    beat();
    beat();
    expect(client.link.checkpoints.at(-1)).toBe(position);
    expect(client.link.checkpoints).toHaveLength(2);
    await square.append([event('other')]);
    beat();
    expect(client.link.checkpoints.at(-1)).toBe(encodePosition(square.hub.edge));
    expect(client.link.checkpoints).toHaveLength(3);
  });

  it('[I-2] are never sent to a subscription that is behind', async () => {
    const { square, heartbeat } = await open();
    const link = new FakeLink();
    const client = square.subscribe({ link });
    heartbeat.add(client.connection);
    link.limit = -1;
    await square.append(events(3));
    link.limit = 0;
    square.clock.advance(HEARTBEAT_MS);
    expect(link.pings).toBe(1);
    expect(client.link.checkpoints).toEqual([]);
  });

  it('are sent to a subscription that was opened since, although the edge did not move', async () => {
    const { square, heartbeat } = await open();
    const [since] = await square.append([event('a'), event('b')]);
    const client = square.connect();
    heartbeat.add(client.connection);
    square.clock.advance(HEARTBEAT_MS);
    client.connection.heard(square.clock.now());
    client.connection.subscribe(7, ['never'], since);
    await square.clock.settle();
    square.clock.advance(HEARTBEAT_MS);
    expect(client.link.checkpoints.at(-1)).toBe(encodePosition(square.hub.edge));
  });
});
