import { encodePosition } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../src/core/snapshots/snapshot.js';
import { Gate } from '../support/controlled-log.js';
import { FakeLink } from '../support/fake-link.js';
import { type Client, event, Square } from '../support/square.js';

/** A table of an application: its rows, and the sequence of the last change in them. */
class Table {
  rows: unknown[] = [];
  sequence = 0;
  relayed: number | undefined;
  source: string | undefined;
  reads = 0;
  failing: Error | undefined;
  gate: Gate | undefined;

  /** Reads in one transaction, and answers later if there is a gate. */
  readonly snapshot = async (): Promise<Snapshot> => {
    this.reads += 1;
    const { rows, sequence, relayed, source, failing } = this;
    const answer = {
      rows: [...rows],
      sequence,
      ...(relayed === undefined ? {} : { relayed }),
      ...(source === undefined ? {} : { source }),
    };
    await this.gate?.pass();
    if (failing) throw failing;
    return answer;
  };

  /** Commits a change. @returns its event */
  change() {
    this.sequence += 1;
    this.rows.push(this.sequence);
    return event('row.added', { n: this.sequence, data: this.sequence });
  }
}

async function open(options: { historyBytes?: number } = {}): Promise<{ square: Square; table: Table }> {
  const table = new Table();
  return { table, square: await Square.open({ ...options, route: { snapshot: table.snapshot } }) };
}

function subscribe(square: Square, more: { since?: string; link?: FakeLink } = {}): Client {
  return square.subscribe({ snapshot: true, ...more });
}

/** The content of a collection: the rows of the last snapshot, and the data of each event since. */
function collected({ link }: Client): unknown[] {
  let held: unknown[] = [];
  let whole = true;
  for (const received of link.received) {
    if (received.op === 'snapshot') {
      held = whole ? [...received.rows] : [...held, ...received.rows];
      whole = !received.more;
    } else if (received.op === 'event') held.push(received.event.data);
  }
  return held;
}

describe('a snapshot', () => {
  it('[I-6] comes first, then its position, then each event that it does not include', async () => {
    const { square, table } = await open();
    for (let i = 0; i < 3; i++) await square.append([table.change()]);
    const client = subscribe(square);
    await square.clock.settle();
    await square.append([table.change()]);
    expect(client.link.received.map(({ op }) => op)).toEqual(['welcome', 'snapshot', 'subscribed', 'event']);
    expect(client.link.frames[1]).toMatchObject({ op: 'subscribed', recovered: false });
    expect(collected(client)).toEqual([1, 2, 3, 4]);
  });

  it('[I-6] is located in the log by its sequence, even if the edge has moved on since the read', async () => {
    const { square, table } = await open();
    await square.append([table.change(), table.change()]);
    table.gate = new Gate();
    const client = subscribe(square);
    await square.append([table.change(), table.change()]);
    table.gate.open();
    await square.clock.settle();
    expect(client.link.delivered.map(({ data }) => data)).toEqual([3, 4]);
    expect(collected(client)).toEqual([1, 2, 3, 4]);
  });

  it('[I-6] that is read before its events are in the log waits for the relay', async () => {
    const { square, table } = await open();
    await square.append([table.change()]);
    const lagging = [table.change(), table.change()];
    table.relayed = 1;
    const client = subscribe(square);
    await square.clock.settle();
    expect(client.link.frames).toEqual([]);
    await square.append(lagging.slice(0, 1));
    expect(client.link.frames).toEqual([]);
    await square.append([...lagging.slice(1), table.change()]);
    expect(client.link.delivered.map(({ data }) => data)).toEqual([4]);
    expect(collected(client)).toEqual([1, 2, 3, 4]);
  });

  it('[I-6] does not wait if the relay caught up while the log was asked', async () => {
    const { square, table } = await open();
    await square.append([table.change()]);
    const lagging = table.change();
    table.relayed = 1;
    const gate = square.log.hold('locate', 'after');
    const client = subscribe(square);
    await square.clock.settle();
    // The log has answered "not yet", but the answer is still in transit.
    await square.append([lagging]);
    gate.open();
    await square.clock.settle();
    expect(collected(client)).toEqual([1, 2]);
    expect(square.clock.now()).toBe(0);
  });

  it('[I-6] whose events the relay never appends is refused in the end, and others are not affected', async () => {
    const { square, table } = await open();
    await square.append([table.change()]);
    const live = square.subscribe();
    table.change();
    table.relayed = 1;
    const client = subscribe(square);
    await square.clock.settle();
    square.clock.advance(5_000);
    await square.clock.settle();
    expect(client.link.frames).toMatchObject([{ op: 'error', id: 1, code: 'SNAPSHOT_UNAVAILABLE', retryable: true }]);
    expect(square.hub.subscriptions).toBe(1);
    expect(square.clock.timers).toBe(0);
    await square.append([event('row.added', { data: 'x' })]);
    expect(live.link.delivered).toHaveLength(1);
    expect(client.link.delivered).toHaveLength(0);
  });

  it('[I-6] of an empty table starts at the point at which its read began, for all that share it', async () => {
    const { square, table } = await open();
    await square.append([event('other.thing')]);
    table.gate = new Gate();
    const first = subscribe(square);
    await square.clock.settle();
    await square.append([table.change()]);
    // This subscription joins the read that began before the first change.
    const second = subscribe(square);
    table.gate.open();
    await square.clock.settle();
    await square.append([table.change()]);
    expect(table.reads).toBe(1);
    expect(collected(first)).toEqual([1, 2]);
    expect(collected(second)).toEqual([1, 2]);
  });

  it('[I-6] starts at the point of its request if retention dropped its event after the relay had appended it', async () => {
    const { square, table } = await open({ historyBytes: 0 });
    await square.append([table.change(), table.change()]);
    await square.append([event('x', { source: '/other' }), event('x', { source: '/other' })]);
    await square.log.inner.trim({ maxCount: 1 });
    table.relayed = 2;
    table.source = '/test';
    const client = subscribe(square);
    await square.clock.settle();
    expect(client.link.frames.map(({ op }) => op)).toEqual(['snapshot', 'subscribed']);
    await square.append([table.change()]);
    expect(collected(client)).toEqual([1, 2, 3]);
  });

  it('[I-6] that would have a gap, since the log dropped events after it, is refused', async () => {
    const { square, table } = await open({ historyBytes: 0 });
    await square.append([table.change()]);
    table.gate = new Gate();
    table.relayed = 1;
    const client = subscribe(square);
    await square.append([table.change(), event('x', { source: '/other' }), event('x', { source: '/other' })]);
    await square.log.inner.trim({ maxCount: 1 });
    table.gate.open();
    await square.clock.settle();
    expect(client.link.frames).toMatchObject([{ op: 'error', code: 'SNAPSHOT_UNAVAILABLE', retryable: true }]);
  });

  it('[I-6] is located by its own source only, since the same number of another source is another event', async () => {
    const { square, table } = await open();
    table.source = '/test';
    await square.append([table.change()]);
    await square.append([event('x', { source: '/other', n: 1 }), event('x', { source: '/other', n: 2 })]);
    const client = subscribe(square);
    await square.clock.settle();
    expect(client.link.delivered.map(({ source }) => source)).toEqual(['/other', '/other']);
  });
});

describe('the read of a snapshot', () => {
  it('[I-6] is shared by all clients that ask while it runs; if there are many, also by those of the next second', async () => {
    const { square, table } = await open();
    await square.append([table.change()]);
    table.gate = new Gate();
    const clients = Array.from({ length: 100 }, () => subscribe(square));
    await square.clock.settle();
    expect(table.reads).toBe(1);
    table.gate.open();
    await square.clock.settle();
    for (const client of clients) expect(collected(client)).toEqual([1]);
    await square.append([table.change()]);
    // The read of many is shared for another second.
    const later = subscribe(square);
    await square.clock.settle();
    square.clock.advance(999);
    const latest = subscribe(square);
    await square.clock.settle();
    expect(table.reads).toBe(1);
    square.clock.advance(1);
    const last = subscribe(square);
    await square.clock.settle();
    expect(table.reads).toBe(2);
    for (const client of [later, latest, last]) expect(collected(client)).toEqual([1, 2]);
  });

  it('[I-6] is not shared afterwards if clients are few, or if the log has dropped the events since', async () => {
    const { square, table } = await open({ historyBytes: 0 });
    await square.append([table.change()]);
    for (let n = 0; n < 15; n++) subscribe(square);
    await square.clock.settle();
    for (let n = 0; n < 16; n++) subscribe(square);
    await square.clock.settle();
    expect(table.reads).toBe(2);
    await square.append([table.change(), table.change(), table.change()]);
    await square.log.inner.trim({ maxCount: 1 });
    const after = [subscribe(square), subscribe(square)];
    await square.clock.settle();
    expect(table.reads).toBe(3);
    for (const client of after) expect(collected(client)).toEqual([1, 2, 3, 4]);
  });

  it('[I-4][I-6] is not shared across the replacement of the log', async () => {
    const { square, table } = await open();
    await square.append([table.change()]);
    table.sequence = 0;
    table.rows = [];
    table.gate = new Gate();
    const client = subscribe(square);
    await square.clock.settle();
    square.log.inner.replace();
    await square.clock.settle();
    await square.append([table.change()]);
    table.gate.open();
    await square.clock.settle();
    expect(table.reads).toBe(2);
    expect(client.link.frames.map(({ op }) => op)).toEqual(['reset', 'snapshot', 'subscribed']);
    expect(collected(client)).toEqual([1]);
  });

  it('[I-6] is still shared after an older read, of a replaced log, has ended', async () => {
    const { square, table } = await open();
    const old = new Gate();
    table.gate = old;
    subscribe(square);
    await square.clock.settle();
    table.gate = new Gate();
    square.log.inner.replace();
    await square.clock.settle();
    old.open();
    await square.clock.settle();
    subscribe(square);
    await square.clock.settle();
    expect(table.reads).toBe(2);
  });

  it('[I-4][I-6] whose point is in a log that the hub does not know yet waits until the hub knows it', async () => {
    const { square, table } = await open();
    await square.append([table.change(), table.change(), table.change()]);
    square.log.holdFollowers();
    square.log.inner.replace();
    table.sequence = 0;
    table.rows = [];
    await square.log.append([table.change()]);
    const client = subscribe(square);
    await square.clock.settle();
    expect(client.link.frames).toEqual([]);
    square.log.tellFollowers();
    await square.clock.settle();
    expect(collected(client)).toEqual([1]);
    expect(client.link.delivered).toEqual([]);
  });

  it('[I-8] that fails refuses the clients that asked, and they can ask again', async () => {
    const { square, table } = await open();
    await square.append([table.change()]);
    const live = square.subscribe();
    table.failing = new Error('no such table');
    const clients = [subscribe(square), subscribe(square)];
    await square.clock.settle();
    for (const { link } of clients) {
      expect(link.frames).toMatchObject([
        {
          op: 'error',
          id: 1,
          code: 'SNAPSHOT_UNAVAILABLE',
          retryable: true,
          message: 'the snapshot cannot be read now',
        },
      ]);
      expect(link.closedWith).toBeUndefined();
    }
    expect(square.hub.subscriptions).toBe(1);
    table.failing = undefined;
    for (const client of clients) client.connection.subscribe(1, undefined, undefined, { snapshot: true });
    await square.append([table.change()]);
    for (const client of clients) expect(collected(client)).toEqual([1, 2]);
    expect(live.link.delivered).toHaveLength(1);
  });

  it.each([
    ['no sequence', () => ({ rows: [], sequence: Number.NaN })],
    ['a negative sequence', () => ({ rows: [], sequence: -1 })],
    ['rows that JSON cannot hold', () => ({ rows: [1n], sequence: 0 })],
    [
      'an exception',
      () => {
        throw new Error('boom');
      },
    ],
  ] as const)('[I-8] that returns %s is unavailable', async (_, snapshot) => {
    const square = await Square.open({ route: { snapshot } });
    const { link } = subscribe(square);
    await square.clock.settle();
    expect(link.frames).toMatchObject([{ op: 'error', code: 'SNAPSHOT_UNAVAILABLE' }]);
    expect(square.hub.subscriptions).toBe(0);
  });
});

describe('the rows of a snapshot', () => {
  it('[I-7] come in chunks at the pace of the link, the last one marked', async () => {
    const { square, table } = await open();
    table.rows = Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(1_000) }));
    const link = new FakeLink();
    link.limit = 1_000;
    const client = subscribe(square, { link });
    await square.clock.settle();
    expect(link.received.filter(({ op }) => op === 'snapshot')).toHaveLength(1);
    await square.drain(client);
    const chunks = link.received.flatMap((received) => (received.op === 'snapshot' ? [received] : []));
    expect(chunks.length).toBeGreaterThan(7);
    expect(chunks.map(({ more }) => more)).toEqual([...chunks.slice(1).map(() => true), false]);
    expect(chunks.flatMap(({ rows }) => rows)).toEqual(table.rows);
    expect(link.overfilled).toBe(0);
    expect(link.peak).toBeLessThan(70_000);
    expect(link.frames.at(-1)).toMatchObject({ op: 'subscribed' });
  });

  it('are one empty chunk for an empty table, and undefined becomes null', async () => {
    const { square, table } = await open();
    const empty = subscribe(square);
    await square.clock.settle();
    expect(empty.link.frames[0]).toEqual({ op: 'snapshot', id: 1, rows: [], more: false });
    table.rows = [undefined, { a: undefined }];
    const odd = subscribe(square);
    await square.clock.settle();
    expect(odd.link.frames[0]).toMatchObject({ rows: [null, {}] });
  });

  it('are sent again after a reset, but not for a position that can be served', async () => {
    const { square, table } = await open({ historyBytes: 0 });
    const [first = ''] = await square.append([table.change(), table.change()]);
    const served = subscribe(square, { since: first });
    await square.clock.settle();
    expect(table.reads).toBe(0);
    expect(served.link.frames).toMatchObject([{ op: 'subscribed', recovered: true }]);
    await square.append([table.change()]);
    await square.log.inner.trim({ maxCount: 1 });
    // The log's answer about the position is shared for a moment.
    square.clock.advance(100);
    const reset = subscribe(square, { since: first });
    await square.clock.settle();
    expect(reset.link.frames.map(({ op }) => op)).toEqual(['reset', 'snapshot', 'subscribed']);
    expect(collected(reset)).toEqual([1, 2, 3]);
  });

  it('begin exactly at the point of the last change in them', async () => {
    const { square, table } = await open();
    const positions = await square.append([table.change(), event('other.thing'), event('other.thing')]);
    const { link } = subscribe(square);
    await square.clock.settle();
    expect(link.frames.at(-1)).toMatchObject({ op: 'subscribed', position: positions[0] });
    expect(encodePosition(square.hub.edge)).toBe(positions[2]);
  });
});
