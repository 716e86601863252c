import { describe, expect, it } from 'vitest';
import { eventLoopTurn } from './support/fake-clock.js';
import { type Client, events, Square } from './support/square.js';

const COUNT = 300;

/** Clients that resume from different positions, all of them before the history window. */
async function comeBack(): Promise<{ square: Square; ids: string[]; clients: Client[] }> {
  const square = await Square.open({ historyBytes: 0 });
  const missed = events(COUNT);
  const positions = await square.append(missed);
  square.log.calls.read = 0;
  const clients = positions.map((since) => square.subscribe({ since }));
  return { square, ids: missed.map(({ id }) => id), clients };
}

describe('clients that resume from different positions', () => {
  it('[F][I-1][I-2][I-3] share the pages of the log, and get exactly the missed events', async () => {
    const { square, ids, clients } = await comeBack();
    await square.clock.settle();
    for (const [index, { link }] of clients.entries()) expect(link.eventIds).toEqual(ids.slice(index + 1));
    expect(square.log.calls.read).toBeLessThan(5);
  });

  it('[I-8] cause one read of the log in a turn of the event loop, however many they are', async () => {
    const { square } = await comeBack();
    const gate = square.log.hold('read', 'before');
    let before = 0;
    let turns = 0;
    for (; gate.waiting < 10; turns++) {
      await eventLoopTurn();
      square.clock.turn();
      expect(square.log.calls.read - before).toBeLessThan(2);
      before = square.log.calls.read;
    }
    expect(turns).toBeGreaterThanOrEqual(10);
    for (; turns < 50; turns++) {
      await eventLoopTurn();
      square.clock.turn();
    }
    expect(gate.waiting).toBeLessThan(20);
    gate.open();
    await square.clock.settle();
  });

  it('[I-4] are all told reset if the log is replaced while they wait, and get no event of the old log later', async () => {
    const { square, ids, clients } = await comeBack();
    const gate = square.log.hold('read', 'after');
    for (let turns = 0; turns < 5; turns++) {
      await eventLoopTurn();
      square.clock.turn();
    }
    expect(gate.waiting).toBeGreaterThan(0);
    square.log.inner.replace();
    await square.append(events(3));
    gate.open();
    await square.clock.settle();
    const [last] = await square.append(events(1));
    // The last client was at the edge all the time.
    for (const { link } of clients.slice(0, -1)) {
      expect(link.frames.map(({ op }) => op)).toContain('reset');
      expect(link.eventIds.filter((id) => ids.includes(id))).toEqual([]);
      expect(link.delivered.at(-1)?.position).toBe(last);
    }
  });

  it('[I-8] are not delayed by a client whose read fails', async () => {
    const { square, ids, clients } = await comeBack();
    square.log.fail('read', new Error('a damaged page'));
    await square.clock.settle();
    const complete = clients.filter(({ link }, index) => link.eventIds.join() === ids.slice(index + 1).join());
    expect(complete.length).toBeGreaterThanOrEqual(COUNT - 1);
  });
});
