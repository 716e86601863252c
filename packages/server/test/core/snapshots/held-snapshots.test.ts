import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../src/core/snapshots/snapshot.js';
import { FakeLink } from '../support/fake-link.js';
import { type Client, event, Square } from '../support/square.js';

const ROWS = Array.from({ length: 300 }, (_, n) => ({ n, text: 'x'.repeat(1_000) }));

/** A square whose route has a large table, which counts its reads. */
async function open(limit = 0): Promise<{ square: Square; table: { reads: number; sequence: number } }> {
  const table = { reads: 0, sequence: 0 };
  const snapshot = (): Snapshot => {
    table.reads += 1;
    return { rows: [...ROWS, { sequence: table.sequence }], sequence: table.sequence, relayed: table.sequence };
  };
  const snapshotLimits = { bytes: limit, ms: 60_000 };
  const square = await Square.open({ historyBytes: 0, route: { snapshot, snapshotLimits } });
  return { square, table };
}

/** Changes the table, and appends the event of the change. */
async function change(square: Square, table: { sequence: number }): Promise<void> {
  table.sequence += 1;
  await square.append([event('row.changed', { n: table.sequence, data: { sequence: table.sequence } })]);
}

/** A client that takes a chunk and then nothing more, until it is drained. */
async function slowClient(square: Square): Promise<Client> {
  const link = new FakeLink();
  link.limit = 1_000;
  const client = square.subscribe({ snapshot: true, link });
  await square.clock.settle();
  return client;
}

/** The sequence of the client: of the rows that it holds, or of the last event after them. */
function sequenceOf({ link }: Client): unknown {
  let sequence: unknown;
  for (const received of link.received) {
    const holders = received.op === 'snapshot' ? received.rows : received.op === 'event' ? [received.event.data] : [];
    for (const holder of holders) sequence = Reflect.get(Object(holder), 'sequence') ?? sequence;
  }
  return sequence;
}

describe('snapshots for slow clients', () => {
  it('[I-7][I-6] are at most two: later clients get the newer one, and the events since', async () => {
    const { square, table } = await open();
    const clients: Client[] = [];
    for (let n = 0; n < 20; n++) {
      clients.push(await slowClient(square));
      await change(square, table);
    }
    expect(table.reads).toBe(2);
    for (const client of clients) await square.drain(client);
    expect(clients.map(sequenceOf)).toEqual(clients.map(() => 20));
    expect(clients.flatMap(({ link }) => link.frames.filter(({ op }) => op === 'reset'))).toEqual([]);
  });

  it('[I-7] are as many as fit into the limit', async () => {
    const { square, table } = await open(4 * 320_000);
    for (let n = 0; n < 10; n++) {
      await slowClient(square);
      await change(square, table);
    }
    expect(table.reads).toBe(4);
  });

  it('[I-7][I-8] are not given to new clients once they are old, and the client of the oldest starts over', async () => {
    const { square, table } = await open();
    const old = [await slowClient(square), await slowClient(square)];
    await change(square, table);
    square.clock.advance(60_001);
    const later = await slowClient(square);
    expect(table.reads).toBe(3);
    for (const client of [...old, later]) await square.drain(client);
    expect([...old, later].map(sequenceOf)).toEqual([1, 1, 1]);
    expect(old.map(({ link }) => link.frames.filter(({ op }) => op === 'reset').length)).toEqual([1, 0]);
  });

  it('[I-6][I-8] have a point that is located once: the log need not find it again', async () => {
    const { square, table } = await open();
    await change(square, table);
    await slowClient(square);
    await slowClient(square);
    await change(square, table);
    // Like a log that remembers only the points of the newest events.
    square.log.inner.locate = async () => undefined;
    const later = await slowClient(square);
    await square.drain(later);
    expect(table.reads).toBe(2);
    expect(sequenceOf(later)).toBe(2);
  });

  it('[I-7] are read again once they were taken, or the connection ended', async () => {
    const { square, table } = await open();
    const [first, second] = [await slowClient(square), await slowClient(square)];
    await square.drain(first);
    second.connection.closed(1006, '', 0);
    await change(square, table);
    const third = await slowClient(square);
    await slowClient(square);
    expect(table.reads).toBe(4);
    await square.drain(third);
    expect(third.link.received.at(-2)).toMatchObject({ op: 'snapshot', more: false });
    expect(sequenceOf(third)).toBe(1);
  });

  it('[I-7][I-2] are released once the log dropped the events since: a client that had not taken all rows starts over', async () => {
    const { square, table } = await open();
    const old = [await slowClient(square), await slowClient(square)];
    for (let n = 0; n < 5; n++) await change(square, table);
    await square.log.inner.trim({ maxCount: 2 });
    const later = await slowClient(square);
    expect(table.reads).toBe(3);
    for (const client of [...old, later]) await square.drain(client);
    expect([...old, later].map(sequenceOf)).toEqual([5, 5, 5]);
    expect(old.map(({ link }) => link.frames.filter(({ op }) => op === 'reset').length)).toEqual([1, 1]);
    expect(later.link.frames.filter(({ op }) => op === 'reset')).toEqual([]);
  });
});
