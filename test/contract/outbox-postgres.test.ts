import {
  createPostgresOutbox,
  type PostgresOutbox,
  type PostgresRelay,
  type PostgresRelayOptions,
} from '@pregon/outbox';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FaultyLog } from '../support/outbox/faulty-log.js';
import {
  POSTGRES_DRIVERS,
  type PostgresConnections,
  type PostgresDriver,
  type PostgresTestTransaction,
} from '../support/outbox/postgres-drivers.js';
import { describeWithPostgres } from '../support/postgres.js';

/** Behaviour on PostgreSQL alone: concurrent writers, one active relay among several, lost connections. */
for (const driver of POSTGRES_DRIVERS) {
  await describeWithPostgres(`An outbox on PostgreSQL by ${driver.name}`, (url) => {
    let app: Application;
    let log: FaultyLog;

    beforeEach(async () => {
      log = new FaultyLog();
      app = await Application.create(driver, url(), log);
    });

    afterEach(() => app.close());

    describe('Writers', () => {
      it('[I-5] cannot pass a pool in place of a transaction', async () => {
        const { outbox, connections } = app;
        await expect(outbox.add(Object(connections.pool), app.event())).rejects.toThrow(
          /pool, which is not in a transaction/,
        );
        await expect(outbox.add(Object({}), app.event())).rejects.toThrow(TypeError);
        expect(await app.rowsLeft()).toBe(0);
      });

      it('[fault C4] [I-2] can store any time with an event: rows that are set aside can still be listed', async () => {
        const { outbox, connections } = app;
        const times = ['infinity', '-infinity', '294000-01-01', '4000-01-01 BC'];
        for (const time of times)
          await connections.query(`INSERT INTO ${outbox.table} (written_at, event) VALUES ('${time}', '{}')`);
        const { relay } = await app.startRelay();
        await eventually(async () => expect(await relay.stuck()).toBe(times.length));
        const stuck = await outbox.stuck(connections.pool).list();
        expect(stuck.map(({ writtenAt }) => writtenAt)).toEqual([
          Number.MAX_SAFE_INTEGER,
          -Number.MAX_SAFE_INTEGER,
          Number.MAX_SAFE_INTEGER,
          Date.UTC(-3999, 0, 1),
        ]);
        await connections.query(`INSERT INTO ${outbox.table} (written_at, event) VALUES ('294000-01-01', '{}')`);
        expect(await relay.lagMs()).toBe(0);
      });

      it('[I-5] lose no event if their transaction takes a number early and commits late', async () => {
        await app.startRelay();
        const slow = await app.begin();
        await slow.add('slow');
        await app.add('fast 1');
        await app.add('fast 2');
        await eventually(() => expect(log.events.map(({ data }) => data)).toEqual(['fast 1', 'fast 2']));
        await slow.commit();
        await eventually(() => expect(log.events.map(({ data }) => data)).toEqual(['fast 1', 'fast 2', 'slow']));
        await eventually(async () => expect(await app.rowsLeft()).toBe(0));
      });

      it('[I-5] that change the same row have their events in the order of the commits', async () => {
        const first = await app.begin();
        const second = await app.begin();
        await second.change(7);
        await second.add('second began later and changed first');
        const waiting = first.change(7).then(() => first.add('first had to wait'));
        await second.commit();
        await waiting;
        await first.commit();
        await app.startRelay();
        await eventually(() =>
          expect(log.events.map(({ data }) => data)).toEqual([
            'second began later and changed first',
            'first had to wait',
          ]),
        );
      });

      it('wait neither for each other, nor for a snapshot that is being read, nor for the relay', async () => {
        let release = () => {};
        log.beforeAppend = () => new Promise<void>((resolve) => (release = resolve));
        const { relay } = await app.startRelay();
        await app.add(1);
        await eventually(() => expect(relay.state).toBe('relaying'));
        const open = await app.begin();
        await open.add(2);
        await app.connections.snapshot(app.outbox, async (query) => {
          // This would hang if the writer waited for the snapshot.
          await app.add(3);
          return query(`SELECT key FROM ${app.items}`);
        });
        await open.commit();
        log.beforeAppend = () => {};
        release();
        await eventually(() => expect(log.events).toHaveLength(3));
      });
    });

    describe('A snapshot', () => {
      it('[I-6] shows one point in time, whatever is committed during the read', async () => {
        await app.startRelay();
        const write = async (key: number) => {
          const transaction = await app.begin();
          await transaction.change(key);
          await transaction.add(key);
          await transaction.commit();
        };
        await write(1);
        const snapshot = await app.connections.snapshot(app.outbox, async (query) => {
          await write(2);
          const rows = await query(`SELECT key FROM ${app.items} ORDER BY key`);
          await write(3);
          // A long read holds up nothing: rows written meanwhile are numbered and relayed.
          await eventually(() => expect(log.events).toHaveLength(3));
          expect(await query(`SELECT key FROM ${app.items} ORDER BY key`)).toEqual(rows);
          return rows;
        });
        expect(snapshot).toMatchObject({ rows: [{ key: 1 }], sequence: 1, source: '/auction' });
      });

      // Kysely does not tell how many connections its pool has.
      const itOnOne = driver.name === 'kysely' ? [] : [1, 3];
      it.each(itOnOne)('[I-6] is exact also from a pool of %i, which is too small for two connections', async (max) => {
        const small = driver.open(url(), { max });
        try {
          await app.add(1);
          const snapshot = await small.snapshot(app.outbox, async (query) => {
            await app.add(2);
            return query(`SELECT key FROM ${app.items}`);
          });
          expect(snapshot).toMatchObject({ rows: [], sequence: 1 });
          const failed = small.snapshot(app.outbox, async (query) => {
            await query('SELECT 1 / 0').catch(() => 'ignored');
            return [];
          });
          // Otherwise the numbers would be rolled back with the transaction, unnoticed.
          await expect(failed).rejects.toThrow();
          expect(await small.snapshot(app.outbox, async () => [])).toMatchObject({ sequence: 2 });
        } finally {
          await small.close();
        }
      });

      it('can be taken many times at once, although each needs two connections of a pool of four', async () => {
        const small = driver.open(url(), { max: 4 });
        try {
          await app.add(1);
          const read = (query: (text: string) => Promise<unknown[]>) => query('SELECT pg_sleep(0.01)');
          const all = await Promise.all(Array.from({ length: 20 }, () => small.snapshot(app.outbox, read)));
          expect(all.map(({ sequence }) => sequence)).toEqual(all.map(() => 1));
        } finally {
          await small.close();
        }
      });

      it('passes on the error of the reading function, and releases its connections', async () => {
        const failing = () => Promise.reject(new RangeError('my own'));
        await expect(app.connections.snapshot(app.outbox, failing)).rejects.toThrow('my own');
        await expect(app.connections.snapshot(app.outbox, async () => Object({}))).rejects.toThrow(
          /must return an array/,
        );
        const writing = app.connections.snapshot(app.outbox, (query) =>
          query(`INSERT INTO ${app.items} VALUES (1, 1)`),
        );
        await expect(writing).rejects.toThrow(/read-only transaction/);
        expect(await app.connections.snapshot(app.outbox, async () => [])).toMatchObject({ sequence: 0 });
      });

      it('numbers a backlog of any size', async () => {
        await app.connections.query(
          `INSERT INTO ${app.outbox.table} (event) SELECT '{}' FROM generate_series(1, 25000)`,
        );
        expect(await app.connections.snapshot(app.outbox, async () => [])).toMatchObject({
          sequence: 25_000,
          relayed: 0,
        });
      });
    });

    describe('A relay', () => {
      it('reports a missing table, and goes on once it exists', async () => {
        const other = createPostgresOutbox({ source: '/auction', table: `${app.outbox.table}_later` });
        const { relay, errors } = app.relayOf(other);
        relay.start();
        await eventually(() =>
          expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/call migrate/)]),
        );
        expect(relay.state).toBe('retrying');
        await other.migrate(app.connections.pool);
        await eventually(() => expect(relay.state).toBe('idle'));
      });

      it('stands by while another relay is active, and takes over as soon as it stops', async () => {
        const first = await app.startRelay({ leaseMs: 60_000 });
        const { relay: second } = app.elsewhere();
        second.start();
        await eventually(() => expect(second.state).toBe('standby'));
        await app.add(1);
        await eventually(() => expect(log.events).toHaveLength(1));
        await eventually(() => expect([first.relay.state, second.state]).toEqual(['idle', 'standby']));
        await first.relay.stop();
        await app.add(2);
        await eventually(() => expect(log.events).toHaveLength(2));
        await eventually(() => expect(second.state).toBe('idle'));
      });

      it('[I-2] [I-3] that has lost its lease removes nothing and stands by; the repeated append adds no duplicate', async () => {
        let release = () => {};
        log.beforeAppend = () => new Promise<void>((resolve) => (release = resolve));
        const { relay } = await app.startRelay({ leaseMs: 60_000 });
        await app.add(1);
        await eventually(() => expect(log.calls).toBe(1));
        const other = '00000000-0000-4000-8000-000000000000';
        await app.connections.query(
          `UPDATE ${app.outbox.table}_state SET holder = '${other}', expires_at = now() + interval '1 hour', listener = NULL`,
        );
        log.beforeAppend = () => {};
        release();
        await eventually(() => expect(relay.state).toBe('standby'));
        expect(await app.rowsLeft()).toBe(1);
        await app.connections.query(`UPDATE ${app.outbox.table}_state SET holder = NULL`);
        await eventually(async () => expect(await app.rowsLeft()).toBe(0));
        expect(log.calls).toBe(2);
        expect(log.events.map(({ data }) => data)).toEqual([1]);
      });

      it('hands over to another relay if it cannot reach the log and the other can', async () => {
        const unreachable = { append: () => Promise.reject(new Error('no route to the log')) };
        const first = await app.startRelay({ leaseMs: 60_000, log: unreachable });
        const second = app.elsewhere();
        second.relay.start();
        await eventually(() => expect(second.relay.state).toBe('standby'));
        await app.add(1);
        await eventually(() => expect(log.events).toHaveLength(1));
        await eventually(() => expect([first.relay.state, second.relay.state]).toEqual(['standby', 'idle']));
        expect(first.errors.map(({ message }) => message)).toEqual(['no route to the log']);
      });

      it('recovers by itself when all its connections are cut', async () => {
        const { relay } = await app.startRelay();
        for (let round = 1; round <= 3; round++) {
          await app.cutConnections();
          // The application notices its own cut connections only when it uses them.
          await eventually(() => app.add(round));
          await eventually(() => expect(log.events.at(-1)?.data).toBe(round));
          await eventually(() => expect(relay.state).toBe('idle'));
        }
        expect(log.events.map(({ data }) => data)).toEqual([1, 2, 3]);
        await eventually(async () => expect(await app.rowsLeft()).toBe(0));
      });

      it('recovers at once when one of its connections is cut, without waiting for its own lease', async () => {
        const { relay } = await app.startRelay({ leaseMs: 60_000 });
        for (let round = 1; round <= 3; round++) {
          await app.cutConnections(
            `query NOT LIKE 'LISTEN%' AND query NOT LIKE 'SELECT 1' AND query NOT LIKE '%pg_backend_pid%'`,
          );
          await eventually(() => app.add(round));
          await eventually(() => expect(log.events.at(-1)?.data).toBe(round));
          await eventually(() => expect(relay.state).toBe('idle'));
        }
      });

      if (!driver.listens) return;

      it('appends right after the commit, without a poll', async () => {
        await app.startRelay({ pollIntervalMs: 60_000 });
        await app.heardOfIt();
        const latencies: number[] = [];
        for (let i = 0; i < 50; i++) {
          const arrived = new Promise<number>((resolve) => {
            log.beforeAppend = () => resolve(performance.now());
          });
          const startedAt = performance.now();
          await app.add(i);
          latencies.push((await arrived) - startedAt);
        }
        latencies.sort((a, b) => a - b);
        expect(latencies[25]).toBeLessThan(1_000);
      });

      it('hears notifications again, without a poll, after its connections were cut', async () => {
        await app.startRelay({ pollIntervalMs: 60_000 });
        await app.heardOfIt();
        await app.cutConnections();
        await app.heardOfIt();
      });

      it('suspends notifications while events arrive fast, and misses no event', async () => {
        const { relay } = await app.startRelay({ pollIntervalMs: 60_000 });
        await app.heardOfIt();
        const before = log.events.length;
        const burst = await app.begin();
        for (let i = 0; i < 200; i++) await burst.add(i);
        await burst.commit();
        await eventually(() => expect(log.events).toHaveLength(before + 200));
        expect(await app.isQuiet()).toBe(true);
        await app.add('without a notification');
        await eventually(() => expect(log.events).toHaveLength(before + 201));
        await eventually(async () => expect(await app.isQuiet()).toBe(false));
        await eventually(() => expect(relay.state).toBe('idle'));
        await app.heardOfIt();
      });
    });
  });
}

interface OpenTransaction {
  change(key: number): Promise<void>;
  add(data: unknown): Promise<void>;
  commit(): Promise<void>;
}

/** An application with a table of items and an outbox that relays to a log in memory. */
class Application {
  static #count = 0;

  static async create(driver: PostgresDriver, url: string, log: FaultyLog): Promise<Application> {
    const app = new Application(driver, url, log, `${driver.name}_only_${Application.#count++}`);
    await app.outbox.migrate(app.connections.pool);
    await app.connections.query(`CREATE TABLE ${app.items} (key integer PRIMARY KEY, version integer NOT NULL)`);
    return app;
  }

  readonly connections: PostgresConnections;
  readonly outbox: PostgresOutbox;
  readonly items: string;
  readonly #driver: PostgresDriver;
  readonly #url: string;
  readonly #log: FaultyLog;
  readonly #relays: PostgresRelay[] = [];
  readonly #others: PostgresConnections[] = [];

  private constructor(driver: PostgresDriver, url: string, log: FaultyLog, name: string) {
    this.#driver = driver;
    this.#url = url;
    this.#log = log;
    this.connections = driver.open(url);
    this.outbox = createPostgresOutbox({ source: '/auction', table: `outbox_${name}` });
    this.items = `items_${name}`;
  }

  event(data?: unknown) {
    return { exchange: 'my_events', topic: 'user.42.created', type: 'UserWasCreated', data };
  }

  async add(data: unknown): Promise<void> {
    await this.connections.transaction(({ tx }) => this.outbox.add(tx, this.event(data)));
  }

  /** Opens a transaction that stays open until `commit` is called. */
  async begin(): Promise<OpenTransaction> {
    let commit = () => {};
    const told = new Promise<void>((resolve) => (commit = resolve));
    let opened: (transaction: PostgresTestTransaction) => void = () => {};
    const open = new Promise<PostgresTestTransaction>((resolve) => (opened = resolve));
    const ended = this.connections.transaction(async (transaction) => {
      opened(transaction);
      await told;
    });
    const { tx, query } = await open;
    return {
      change: async (key) => {
        await query(
          `INSERT INTO ${this.items} VALUES (${key}, 1) ON CONFLICT (key) DO UPDATE SET version = ${this.items}.version + 1`,
        );
      },
      add: async (data) => void (await this.outbox.add(tx, this.event(data))),
      commit: () => {
        commit();
        return ended;
      },
    };
  }

  relayOf(outbox: PostgresOutbox, connections = this.connections, options: Partial<PostgresRelayOptions> = {}) {
    const errors: Error[] = [];
    const relay = outbox.relay({
      db: connections.pool,
      log: this.#log,
      leaseMs: 500,
      pollIntervalMs: 20,
      onError: (error) => errors.push(error),
      ...options,
    });
    this.#relays.push(relay);
    return { relay, errors };
  }

  /** Starts a relay and waits until it is active. */
  async startRelay(options: Partial<PostgresRelayOptions> = {}) {
    const started = this.relayOf(this.outbox, this.connections, options);
    started.relay.start();
    await eventually(() => expect(started.relay.state).toBe('idle'));
    return started;
  }

  /** A relay as if in another process. */
  elsewhere() {
    const connections = this.#driver.open(this.#url);
    this.#others.push(connections);
    return this.relayOf(this.outbox, connections);
  }

  /** Waits until a notification about an event reaches a relay that does not poll. */
  async heardOfIt(): Promise<void> {
    await eventually(async () => {
      const before = this.#log.events.length;
      await this.add('heard');
      await vi.waitFor(() => expect(this.#log.events.length).toBeGreaterThan(before), { timeout: 500, interval: 1 });
    });
  }

  /** Whether writers currently send no notification. */
  async isQuiet(): Promise<boolean> {
    const [row] = await this.connections.query(
      `SELECT last_value > extract(epoch FROM clock_timestamp()) * 1000 AS quiet FROM ${this.outbox.table}_quiet`,
    );
    return Reflect.get(Object(row), 'quiet') === true;
  }

  async rowsLeft(): Promise<number> {
    const written = await this.connections.query(`SELECT FROM ${this.outbox.table}`);
    const numbered = await this.connections.query(`SELECT FROM ${this.outbox.table}_numbered`);
    return written.length + numbered.length;
  }

  /** Ends all connections to the database, as an administrator or a failing network does. */
  async cutConnections(which = 'true'): Promise<void> {
    const other = this.#driver.open(this.#url, { max: 1 });
    await other.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${which}`,
    );
    await other.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.stop()));
    for (const connections of [this.connections, ...this.#others]) await connections.close();
  }
}

/** Waits for an assertion to hold, however busy the machine is. */
function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 60_000, interval: 2 });
}
