import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteOutbox, type Relay, type SqliteOutbox } from '@pregon/outbox';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { drivers, type TestDatabase, transaction } from '../support/outbox/drivers.js';
import { FaultyLog } from '../support/outbox/faulty-log.js';

/** Behaviour on SQLite alone: one writer at a time, and a synchronous connection that relay and writers may share. */
describe.each(drivers())('An outbox on SQLite by $name', (driver) => {
  let folder: string;
  let db: TestDatabase;
  let outbox: SqliteOutbox;
  let log: FaultyLog;
  const open: TestDatabase[] = [];
  const relays: Relay[] = [];

  function connect(): TestDatabase {
    const connection = driver.open(join(folder, 'app.db'));
    open.push(connection);
    return connection;
  }

  function startRelay(): Relay {
    const relay = outbox.relay({ db, log, pollIntervalMs: 60_000 });
    relays.push(relay);
    relay.start();
    return relay;
  }

  const add = (data: unknown, connection = db) =>
    outbox.add(connection, { exchange: 'my_events', topic: 'user.42.created', type: 'UserWasCreated', data });
  const rowsLeft = () => db.prepare(`SELECT sequence FROM ${outbox.table}`).all().length;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pregon-outbox-'));
    outbox = createSqliteOutbox({ source: '/auction' });
    log = new FaultyLog();
    db = connect();
    outbox.migrate(db);
    db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY)');
  });

  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    for (const connection of open.splice(0)) connection.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('returns the sequence of an event as soon as it is added', () => {
    expect(add(1).sequence).toBe('0000000000000001');
    expect(add(2).sequence).toBe('0000000000000002');
  });

  it('[I-5] relays nothing of a transaction that is open on the connection of the relay, and all once it commits', async () => {
    const relay = startRelay();
    db.exec('BEGIN IMMEDIATE');
    const event = add(1);
    await eventually(() => expect(relay.state).toBe('waiting'));
    expect(log.calls).toBe(0);
    db.exec('COMMIT');
    await eventually(() => expect(log.ids).toEqual([event.id]));
  });

  it('[fault C4] is not delayed by any size or time that another program writes with an event', async () => {
    const relay = startRelay();
    for (const [writtenAt, bytes] of [
      ['2026-01-01 00:00:00', 'large'],
      ['1796045020678000000', '9223372036854775807'],
      ['-1e300', '9223372036854775807'],
      ['0.5', '-1'],
    ] as const) {
      db.prepare(`INSERT INTO ${outbox.table} (written_at, bytes, event) VALUES (?, ?, ?)`).run(writtenAt, bytes, '{}');
    }
    expect(relay.lagMs()).toBeGreaterThan(0);
    expect(relay.pending()).toBe(4);
    add(1);
    await eventually(() => expect([log.events.length, relay.pending(), relay.stuck()]).toEqual([1, 0, 4]));
    const most = Number.MAX_SAFE_INTEGER;
    expect(
      outbox
        .stuck(db)
        .list()
        .map(({ writtenAt }) => writtenAt),
    ).toEqual([2026, most, -most, 0]);
  });

  it('[fault C8] [I-7] sets aside text that is not UTF-8, which SQLite accepts, and lists it', async () => {
    const relay = startRelay();
    db.exec(`INSERT INTO ${outbox.table} (written_at, bytes, event) VALUES (0, 4, CAST(X'7B22FF227D' AS TEXT))`);
    add('é');
    await eventually(() => expect([log.events.length, relay.pending(), relay.stuck()]).toEqual([1, 0, 1]));
    expect(log.events[0]?.data).toBe('é');
    expect(outbox.stuck(db).list()).toMatchObject([{ sequence: 1, code: 'EVENT_INVALID', event: '{"\ufffd"}' }]);
    expect([outbox.stuck(db).retry('all'), outbox.stuck(db).count()]).toEqual([1, 0]);
  });

  it('appends right after add, without a poll', async () => {
    const relay = startRelay();
    await eventually(() => expect(relay.state).toBe('idle'));
    const latencies: number[] = [];
    for (let i = 1; i <= 50; i++) {
      const arrived = new Promise<number>((resolve) => {
        log.beforeAppend = () => resolve(performance.now());
      });
      const startedAt = performance.now();
      transaction(db, () => add(i));
      latencies.push((await arrived) - startedAt);
      await eventually(() => expect(log.events).toHaveLength(i));
    }
    latencies.sort((a, b) => a - b);
    expect(latencies[25]).toBeLessThan(50 * 10);
  });

  it('reports a missing table at once', () => {
    const other = createSqliteOutbox({ source: '/auction', table: 'elsewhere' });
    expect(() => other.relay({ db, log })).toThrow(/no table elsewhere: call migrate/);
  });

  it('[I-3] relays while another connection holds the write lock, and removes the rows later', async () => {
    add(1);
    const writer = connect();
    writer.exec('BEGIN IMMEDIATE');
    const relay = startRelay();
    await eventually(() => expect(log.events).toHaveLength(1));
    await eventually(() => expect(relay.state).toBe('idle'));
    expect([relay.pending(), rowsLeft()]).toEqual([0, 1]);
    // If the relay waited for the lock, each attempt to remove rows would block the event loop for 2 s, the timeout of
    // the connection.
    expect(await longestBlockMs(200)).toBeLessThan(1_000);
    writer.exec('COMMIT');
    await eventually(() => expect(rowsLeft()).toBe(0));
    expect(log.calls).toBe(1);
    expect(db.prepare('PRAGMA busy_timeout').all()).toMatchObject([{ timeout: 2_000 }]);
  });

  describe('A snapshot', () => {
    const items = (connection: TestDatabase) => connection.prepare('SELECT id FROM items').all();

    it('[I-6] shows one point in time, also if another connection commits between its reads', () => {
      const writer = connect();
      const write = (id: number) =>
        transaction(writer, () => {
          writer.prepare('INSERT INTO items (id) VALUES (?)').run(id);
          add({ id }, writer);
        });
      write(1);
      const during = outbox.snapshot(db, (connection) => {
        write(2);
        const rows = items(connection);
        write(3);
        return rows;
      });
      expect(during.rows).toHaveLength(during.sequence);
      expect(outbox.snapshot(db, items)).toMatchObject({ sequence: 3, relayed: 0 });
    });

    it('is refused for data that may yet be rolled back', () => {
      db.exec('BEGIN');
      add(1);
      expect(() => outbox.snapshot(db, items)).toThrow(
        expect.objectContaining({ code: 'SNAPSHOT_UNAVAILABLE', retryable: true }),
      );
      db.exec('ROLLBACK');
      expect(outbox.snapshot(db, items).sequence).toBe(0);
    });

    it('passes on the error of the reading function, and releases the connection', () => {
      const failing = () => {
        throw new RangeError('my own');
      };
      expect(() => outbox.snapshot(db, failing)).toThrow(RangeError);
      expect(() => Reflect.apply(outbox.snapshot, outbox, [db, async () => []])).toThrow(/must return an array/);
      transaction(db, () => add(1));
    });
  });
});

/** Waits for an assertion to hold, however busy the machine is. */
function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { timeout: 60_000, interval: 1 });
}

/** The longest time that the event loop was blocked during the watch. */
async function longestBlockMs(watchMs: number): Promise<number> {
  const startedAt = performance.now();
  let longest = 0;
  for (let last = startedAt; last - startedAt < watchMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}
