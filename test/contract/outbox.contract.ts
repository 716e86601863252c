import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutbox, type Outbox, type Relay } from '@pregon/outbox';
import { DEFAULT_MAX_EVENT_BYTES, decodeSequence, PregonError, type PregonEvent } from '@pregon/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Driver, type TestDatabase, transaction } from '../support/outbox/drivers.js';
import { FaultyLog } from '../support/outbox/faulty-log.js';

/** What every driver of an outbox must pass. */
export function describeOutbox(driver: Driver): void {
  describe(`outbox on ${driver.name}`, { timeout: 20_000 }, () => {
    let folder: string;
    let db: TestDatabase;
    let outbox: Outbox;
    let log: FaultyLog;
    const open: TestDatabase[] = [];
    const relays: Relay[] = [];

    function connect(): TestDatabase {
      const connection = driver.open(join(folder, 'app.db'));
      open.push(connection);
      return connection;
    }

    /** A relay that polls so rarely that only wakes move it, unless told otherwise. */
    function relayOn(connection: TestDatabase, options: { batchSize?: number; pollIntervalMs?: number } = {}) {
      const errors: Error[] = [];
      const relay = outbox.relay({
        db: connection,
        log,
        pollIntervalMs: 60_000,
        onError: (error) => errors.push(error),
        ...options,
      });
      relays.push(relay);
      return { relay, errors };
    }

    function add(data: unknown, connection = db): PregonEvent {
      return outbox.add(connection, { exchange: 'my_events', topic: 'user.42.created', type: 'UserWasCreated', data });
    }

    function rowsLeft(): number {
      return db.prepare(`SELECT sequence FROM ${outbox.table}`).all().length;
    }

    function relayed(count: number): Promise<void> {
      return eventually(() => expect(log.events.length).toBeGreaterThanOrEqual(count));
    }

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'pregon-outbox-'));
      outbox = createOutbox({ source: '/auction' });
      log = new FaultyLog();
      db = connect();
      outbox.migrate(db);
    });

    afterEach(async () => {
      await Promise.all(relays.splice(0).map((relay) => relay.stop()));
      for (const connection of open.splice(0)) connection.close();
      rmSync(folder, { recursive: true, force: true });
    });

    describe('add', () => {
      it('returns the complete event, which is what reaches the log', async () => {
        const { relay } = relayOn(db);
        relay.start();
        const event = outbox.add(db, {
          exchange: 'my_events',
          topic: 'user.42.created',
          type: 'UserWasCreated',
          subject: 'user/42',
          data: { name: 'Ada' },
        });
        expect(event).toMatchObject({
          specversion: '1.0',
          source: '/auction',
          subject: 'user/42',
          sequence: '0000000000000001',
        });
        await relayed(1);
        expect(log.events).toEqual([event]);
      });

      it('numbers events in commit order and never uses a number twice after its row is gone', async () => {
        const { relay } = relayOn(db);
        relay.start();
        add(1);
        add(2);
        await relayed(2);
        await relay.stop();
        expect(rowsLeft()).toBe(0);
        outbox.migrate(db);
        expect(decodeSequence(add(3).sequence ?? '')).toBe(3);
      });

      it('refuses what a log would refuse, before anything is written', () => {
        const cycle: { self?: unknown } = {};
        cycle.self = cycle;
        expect(() => add(10n)).toThrow(TypeError);
        expect(() => add({ price: 10n })).toThrow(/UserWasCreated cannot be written as JSON.*BigInt/);
        expect(() => add(cycle)).toThrow(TypeError);
        expect(() => add(() => 1)).toThrow(TypeError);
        expect(() => outbox.add(db, { exchange: 'e', topic: 'not a topic', type: 'T' })).toThrow(
          expect.objectContaining({ code: 'EVENT_INVALID' }),
        );
        expect(() => outbox.add(db, { exchange: '', topic: 't', type: 'T' })).toThrow(PregonError);
        expect(() => add('x'.repeat(DEFAULT_MAX_EVENT_BYTES))).toThrow(
          expect.objectContaining({ code: 'EVENT_TOO_LARGE' }),
        );
        expect(rowsLeft()).toBe(0);
      });

      it('counts the size of an event as the log does, to the byte', async () => {
        const bytesOf = (event: PregonEvent) => Buffer.byteLength(JSON.stringify(event));
        const rest = bytesOf(add(''));
        const exact = add(
          'é'.repeat(Math.floor((DEFAULT_MAX_EVENT_BYTES - rest) / 2)) +
            'x'.repeat((DEFAULT_MAX_EVENT_BYTES - rest) % 2),
        );
        expect(bytesOf(exact)).toBe(DEFAULT_MAX_EVENT_BYTES);
        expect(() => add('x'.repeat(DEFAULT_MAX_EVENT_BYTES - rest + 1))).toThrow(/1048577 bytes/);
        relayOn(db).relay.start();
        await relayed(2);
        expect(log.events.map(bytesOf)).toEqual([rest, DEFAULT_MAX_EVENT_BYTES]);
      });

      it('keeps hostile payloads as they are', async () => {
        const payloads = [
          '',
          '\n\r\u2028',
          'a\0b',
          '\ud800',
          "'; DROP TABLE pregon_outbox; --",
          { __proto__: null, a: [] },
          null,
          0,
          '𝄞'.repeat(9_999),
        ];
        for (const payload of payloads) add(payload);
        relayOn(db).relay.start();
        await relayed(payloads.length);
        expect(log.events.map((event) => event.data)).toEqual(payloads);
      });
    });

    describe('relay', () => {
      it('[I-5] emits nothing of a transaction that rolled back, and all of one that committed', async () => {
        relayOn(db).relay.start();
        const kept = transaction(db, () => [add(1), add(2)]);
        const rolledBack = () =>
          transaction(db, () => {
            add(3);
            throw new Error('no');
          });
        expect(rolledBack).toThrow('no');
        const after = add(4);
        await relayed(3);
        expect(log.ids).toEqual([...kept, after].map((event) => event.id));
        expect(after.sequence).toBe('0000000000000003');
      });

      it('[I-5] sees nothing of a transaction that is open on its own connection, and all once it commits', async () => {
        const { relay } = relayOn(db);
        relay.start();
        db.exec('BEGIN IMMEDIATE');
        const event = add(1);
        await eventually(() => expect(relay.state).toBe('waiting'));
        expect(log.calls).toBe(0);
        db.exec('COMMIT');
        await relayed(1);
        expect(log.ids).toEqual([event.id]);
      });

      it('goes on on a connection of its own while a transaction of the writers is open', async () => {
        add(1);
        const writer = connect();
        writer.exec('BEGIN IMMEDIATE');
        add(2, writer);
        const { relay } = relayOn(db, { pollIntervalMs: 5 });
        relay.start();
        await relayed(1);
        await eventually(() => expect(relay.state).toBe('idle'));
        expect(log.events.map((event) => event.data)).toEqual([1]);
        writer.exec('COMMIT');
        await relayed(2);
      });

      it('appends right after add, without a poll', async () => {
        const { relay } = relayOn(db);
        relay.start();
        await eventually(() => expect(relay.state).toBe('idle'));
        const latencies: number[] = [];
        for (let i = 1; i <= 50; i++) {
          const arrived = new Promise<number>((resolve) => {
            log.beforeAppend = () => resolve(performance.now());
          });
          const startedAt = performance.now();
          transaction(db, () => add(i));
          latencies.push((await arrived) - startedAt);
          await relayed(i);
        }
        latencies.sort((a, b) => a - b);
        expect(latencies[25]).toBeLessThan(50);
      });

      it('finds by polling what another process wrote', async () => {
        const { relay } = relayOn(db, { pollIntervalMs: 10 });
        relay.start();
        const elsewhere = createOutbox({ source: '/auction' });
        elsewhere.add(connect(), { exchange: 'e', topic: 't', type: 'T' });
        await relayed(1);
      });

      it('drains a backlog in batches, in order, and leaves an empty table', async () => {
        const ids = transaction(db, () => Array.from({ length: 1_234 }, (_, i) => add(i).id));
        const { relay } = relayOn(db, { batchSize: 100 });
        expect(relay.pending()).toBe(1_234);
        relay.start();
        await relayed(1_234);
        await relay.stop();
        expect(log.ids).toEqual(ids);
        expect(log.calls).toBe(13);
        expect(relay.pending()).toBe(0);
        expect(relay.lagMs()).toBe(0);
        expect(rowsLeft()).toBe(0);
      });

      it('keeps a batch of large events small', async () => {
        transaction(db, () => Array.from({ length: 10 }, () => add('x'.repeat(1_000_000))));
        const sizes: number[] = [];
        log.beforeAppend = (events) => void sizes.push(events.length);
        relayOn(db).relay.start();
        await relayed(10);
        expect(sizes).toEqual([5, 5]);
      });

      it('removes relayed rows by itself, soon', async () => {
        relayOn(db).relay.start();
        add(1);
        await relayed(1);
        await eventually(() => expect(rowsLeft()).toBe(0));
      });

      it('is done with the batch on its way when stop resolves, and starts again from there', async () => {
        let release = () => {};
        log.beforeAppend = () => new Promise<void>((resolve) => (release = resolve));
        const { relay } = relayOn(db);
        relay.start();
        add(1);
        await eventually(() => expect(log.calls).toBe(1));
        const stopped = relay.stop();
        expect(() => relay.start()).toThrow(TypeError);
        release();
        await stopped;
        expect(log.events).toHaveLength(1);
        expect(relay.state).toBe('stopped');
        expect(rowsLeft()).toBe(0);
        add(2);
        log.beforeAppend = () => {};
        relay.start();
        await relayed(2);
      });

      it('tells how far behind it is', async () => {
        let now = 1_000;
        outbox = createOutbox({ source: '/auction', now: () => now });
        const { relay } = relayOn(db);
        add(1);
        now += 500;
        add(2);
        now += 250;
        expect([relay.pending(), relay.lagMs()]).toEqual([2, 750]);
      });

      it('says so at once where the table is missing', () => {
        const other = createOutbox({ source: '/auction', table: 'elsewhere' });
        expect(() => other.relay({ db, log })).toThrow(/no table elsewhere: call migrate/);
      });
    });

    describe('failures', () => {
      it('[I-2] keeps the order and skips nothing while the log fails, whatever of a batch it stored', async () => {
        const ids = transaction(db, () => Array.from({ length: 6 }, (_, i) => add(i).id));
        log.failNext(new PregonError('LOG_UNAVAILABLE', 'not now'));
        log.failNext(new PregonError('LOG_UNAVAILABLE', 'not now'), 2);
        log.failNext(new Error('ECONNRESET'), 3);
        const { relay, errors } = relayOn(db, { batchSize: 3 });
        relay.start();
        await eventually(() => expect(relay.state).toBe('retrying'));
        await relayed(6);
        await eventually(() => expect(relay.state).toBe('idle'));
        expect(log.ids).toEqual(ids);
        expect(errors.map((error) => error.message)).toEqual(['not now']);
      });

      it('[I-2] stops rather than skip what the log refuses for good, and goes on from there when started again', async () => {
        const ids = [add(1).id, add(2).id];
        log.failNext(new PregonError('EVENT_TOO_LARGE', 'this log takes less'));
        const { relay, errors } = relayOn(db);
        relay.start();
        await eventually(() => expect(errors).toHaveLength(1));
        expect(relay.state).toBe('failed');
        expect(errors[0]).toMatchObject({
          code: 'EVENT_TOO_LARGE',
          message: expect.stringContaining('after sequence 0'),
        });
        expect([log.ids, relay.pending()]).toEqual([[], 2]);
        relay.start();
        await relayed(2);
        expect(log.ids).toEqual(ids);
      });

      it('[I-2] stops at a row that holds no event, with all before it relayed', async () => {
        add(1);
        const { relay, errors } = relayOn(db);
        relay.start();
        await relayed(1);
        db.exec(`INSERT INTO ${outbox.table} (written_at, bytes, event) VALUES (0, 2, '{}')`);
        add(2);
        await eventually(() => expect(relay.state).toBe('failed'));
        await eventually(() => expect(errors[0]?.message).toContain('row 2 of the outbox holds no event'));
        expect(relay.pending()).toBe(2);
      });

      it('[I-3] relays while another connection holds the write lock, and removes later', async () => {
        add(1);
        const writer = connect();
        writer.exec('BEGIN IMMEDIATE');
        const { relay } = relayOn(db);
        relay.start();
        await relayed(1);
        await eventually(() => expect(relay.state).toBe('idle'));
        expect([relay.pending(), rowsLeft()]).toEqual([0, 1]);
        // Were a lock waited for, each attempt to remove would stop the event loop for the 2 s of the connection's own timeout.
        expect(await longestBlockMs(200)).toBeLessThan(1_000);
        writer.exec('COMMIT');
        await eventually(() => expect(rowsLeft()).toBe(0));
        expect(log.calls).toBe(1);
        expect(db.prepare('PRAGMA busy_timeout').all()).toMatchObject([{ timeout: 2_000 }]);
      });

      it('[I-5] begins again where the database was restored under it', async () => {
        const { relay } = relayOn(db, { pollIntervalMs: 10 });
        relay.start();
        for (let i = 0; i < 5; i++) add(i);
        await relayed(5);
        await eventually(() => expect(rowsLeft()).toBe(0));
        db.exec(`DROP TABLE ${outbox.table}`);
        outbox.migrate(db);
        add('restored');
        await relayed(6);
        expect(log.events.at(-1)?.data).toBe('restored');
      });

      it('[I-1] [I-3] neither reorders nor repeats where several relays drain one table', async () => {
        const ids: string[] = [];
        const three = [
          relayOn(db, { batchSize: 7, pollIntervalMs: 1 }),
          relayOn(connect(), { batchSize: 3, pollIntervalMs: 2 }),
          relayOn(connect(), { batchSize: 5, pollIntervalMs: 1 }),
        ];
        let turn = 0;
        // Each append is held up for another time, so that the relays overtake one another between read and append.
        log.beforeAppend = () => new Promise((resolve) => setTimeout(resolve, (turn++ * 7) % 11));
        for (const { relay } of three) relay.start();
        for (let i = 0; i < 200; i++) {
          ids.push(add(i).id);
          if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await relayed(200);
        await Promise.all(three.map(({ relay }) => relay.stop()));
        expect(log.ids).toEqual(ids);
        expect(log.calls).toBeGreaterThan(200 / 7);
        expect(rowsLeft()).toBe(0);
      });
    });

    describe('snapshot', () => {
      beforeEach(() => db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY)'));
      const items = (connection: TestDatabase) => connection.prepare('SELECT id FROM items').all();

      it('[I-6] stands for one point, also when another connection commits between its reads', () => {
        const writer = connect();
        const write = (id: number) =>
          transaction(writer, () => {
            writer.prepare('INSERT INTO items (id) VALUES (?)').run(id);
            add({ id }, writer);
          });
        expect(outbox.snapshot(db, items)).toEqual({ rows: [], sequence: 0, source: '/auction', relayed: 0 });
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

      it('[I-6] keeps its sequence when the rows of the outbox are relayed and gone', async () => {
        const { relay } = relayOn(db);
        relay.start();
        add(1);
        add(2);
        await relayed(2);
        await relay.stop();
        expect(outbox.snapshot(db, items)).toMatchObject({ sequence: 2, relayed: 2 });
      });

      it('refuses to stand for what may yet be rolled back', () => {
        db.exec('BEGIN');
        add(1);
        expect(() => outbox.snapshot(db, items)).toThrow(
          expect.objectContaining({ code: 'SNAPSHOT_UNAVAILABLE', retryable: true }),
        );
        db.exec('ROLLBACK');
        expect(outbox.snapshot(db, items).sequence).toBe(0);
      });

      it('passes on what the reading function throws, and frees the connection', () => {
        const failing = () => {
          throw new RangeError('my own');
        };
        expect(() => outbox.snapshot(db, failing)).toThrow(RangeError);
        expect(() => Reflect.apply(outbox.snapshot, outbox, [db, async () => []])).toThrow(/must return an array/);
        transaction(db, () => add(1));
      });
    });
  });
}

/** Waits for an assertion to hold, however busy the machine is. */
function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 1 });
}

/** The longest time that the event loop stood still while it was watched. */
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
