import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BlockTarget,
  createPostgresOutbox,
  createSqliteOutbox,
  type OutboxEvent,
  type OutboxSnapshot,
  type Relay,
  type RelayOptions,
  type RevocationTarget,
  type RevokedSubject,
  type StuckEvents,
} from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import { type Driver, transaction } from './drivers.js';
import type { PostgresDriver } from './postgres-drivers.js';

/** An application with an outbox and a table `items (id)` on any database, for the tests of the common contract. */
export interface Bench {
  readonly table: string;
  /** Whether a relay that never polls is notified of events. */
  readonly listens: boolean;
  migrate(): Promise<void>;
  /** Runs `work` in a transaction, which is rolled back if it throws. */
  transaction<T>(work: (tx: BenchTransaction) => Promise<T>): Promise<T>;
  /** Writes an event in a separate transaction. */
  add(event: OutboxEvent): Promise<PregonEvent>;
  relay(options: RelayOptions): Relay<number | Promise<number>>;
  /** A snapshot of `items`. */
  snapshot(): Promise<OutboxSnapshot<number>>;
  /** The number of rows that are left in the outbox, numbered or not. */
  rowsLeft(): Promise<number>;
  /** Writes a row by SQL, as another program does. */
  addRow(event: string): Promise<void>;
  /**
   * Takes all rows out of the outbox.
   * @returns a function that puts them back, with all their columns
   */
  takeRows(): Promise<() => Promise<void>>;
  /** The number of revocations that are left in the outbox. */
  revocationsLeft(): Promise<number>;
  /** Writes a row to the table of revocations by SQL, as another program does. */
  addRevocationRow(text: string): Promise<void>;
  /** Drops the table of revocations, which older migrations did not make. */
  dropRevocations(): Promise<void>;
  /** Access to the rows that were set aside. */
  stuck(): StuckEvents<number> | StuckEvents<Promise<number>>;
  /** Drops the table for these rows, which older migrations did not make. */
  dropStuckTable(): Promise<void>;
  /** Makes the database forget the whole outbox, as after a restore from an earlier backup. */
  restore(): Promise<void>;
  /** The same database through separate connections, as in another process. */
  elsewhere(): Bench;
  close(): Promise<void>;
}

export interface BenchTransaction {
  revoke(target: RevocationTarget): Promise<void>;
  block(target: BlockTarget): Promise<void>;
  unblock(subject: RevokedSubject): Promise<void>;
  add(event: OutboxEvent): Promise<PregonEvent>;
  insertItem(id: number): Promise<void>;
}

export interface BenchOptions {
  readonly now?: () => number;
}

export type OpenBench = (options?: BenchOptions) => Promise<Bench>;

export function sqliteBench(driver: Driver): OpenBench {
  return async (options) => {
    const folder = mkdtempSync(join(tmpdir(), 'pregon-outbox-'));
    const bench = openSqlite(driver, join(folder, 'app.db'), options);
    await bench.migrate();
    return {
      ...bench,
      async close() {
        await bench.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
}

function openSqlite(driver: Driver, path: string, options: BenchOptions = {}): Bench {
  const outbox = createSqliteOutbox({ source: '/auction', ...options });
  const db = driver.open(path);
  // The transactions of the tests span an await, which transactions on the connection of a relay must not do.
  const relayDb = driver.open(path);
  const others: Bench[] = [];
  return {
    table: outbox.table,
    listens: true,
    async migrate() {
      outbox.migrate(db);
      db.exec('CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY)');
    },
    async transaction(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = await work({
          add: async (event) => outbox.add(db, event),
          revoke: async (target) => outbox.revoke(db, target),
          block: async (target) => outbox.block(db, target),
          unblock: async (subject) => outbox.unblock(db, subject),
          insertItem: async (id) => void db.prepare('INSERT INTO items (id) VALUES (?)').run(id),
        });
        db.exec('COMMIT');
        return result;
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      }
    },
    add: async (event) => transaction(db, () => outbox.add(db, event)),
    relay: (relayOptions) => outbox.relay({ db: relayDb, ...relayOptions }),
    snapshot: async () =>
      outbox.snapshot(db, (connection) => ids(connection.prepare('SELECT id FROM items ORDER BY id').all())),
    rowsLeft: async () => db.prepare(`SELECT sequence FROM ${outbox.table}`).all().length,
    addRow: async (event) =>
      void db
        .prepare(`INSERT INTO ${outbox.table} (written_at, bytes, event) VALUES (0, ?, ?)`)
        .run(Buffer.byteLength(event), event),
    async takeRows() {
      db.exec(`CREATE TABLE copy AS SELECT * FROM ${outbox.table}; DELETE FROM ${outbox.table}`);
      return async () => void db.exec(`INSERT INTO ${outbox.table} SELECT * FROM copy`);
    },
    revocationsLeft: async () => db.prepare(`SELECT id FROM ${outbox.table}_revoked`).all().length,
    addRevocationRow: async (text) =>
      void db.prepare(`INSERT INTO ${outbox.table}_revoked (revocation) VALUES (?)`).run(text),
    dropRevocations: async () => void db.exec(`DROP TABLE ${outbox.table}_revoked`),
    stuck: () => outbox.stuck(db),
    dropStuckTable: async () => void db.exec(`DROP TABLE ${outbox.table}_stuck`),
    async restore() {
      db.exec(`DROP TABLE ${outbox.table}`);
      outbox.migrate(db);
    },
    elsewhere() {
      const other = openSqlite(driver, path, options);
      others.push(other);
      return other;
    },
    async close() {
      for (const other of others) await other.close();
      db.close();
      relayDb.close();
    },
  };
}

/**
 * Each bench has its own tables in one database for all tests of the file, because creating a database takes as long as
 * a test.
 */
export function postgresBench(driver: PostgresDriver, database: () => string): OpenBench {
  let count = 0;
  return async (options) => {
    const bench = openPostgres(driver, database(), `${driver.name}_${count++}`, options);
    await bench.migrate();
    return bench;
  };
}

function openPostgres(driver: PostgresDriver, url: string, name: string, options: BenchOptions = {}): Bench {
  const outbox = createPostgresOutbox({ source: '/auction', table: `outbox_${name}`, ...options });
  const items = `items_${name}`;
  const connections = driver.open(url);
  const others: Bench[] = [];
  const transact = <T>(work: (tx: BenchTransaction) => Promise<T>) =>
    connections.transaction(({ tx, query }) =>
      work({
        add: (event) => outbox.add(tx, event),
        revoke: (target) => outbox.revoke(tx, target),
        block: (target) => outbox.block(tx, target),
        unblock: (subject) => outbox.unblock(tx, subject),
        insertItem: async (id) => void (await query(`INSERT INTO ${items} (id) VALUES (${id})`)),
      }),
    );
  return {
    table: outbox.table,
    listens: driver.listens,
    async migrate() {
      await outbox.migrate(connections.pool);
      await connections.query(`CREATE TABLE IF NOT EXISTS ${items} (id integer PRIMARY KEY)`);
    },
    transaction: transact,
    add: (event) => transact((tx) => tx.add(event)),
    relay: (relayOptions) => outbox.relay({ db: connections.pool, leaseMs: 3_000, ...relayOptions }),
    snapshot: () =>
      connections.snapshot(outbox, async (query) => ids(await query(`SELECT id FROM ${items} ORDER BY id`))),
    async rowsLeft() {
      const written = await connections.query(`SELECT FROM ${outbox.table}`);
      const numbered = await connections.query(`SELECT FROM ${outbox.table}_numbered`);
      return written.length + numbered.length;
    },
    addRow: async (event) =>
      void (await connections.query(`INSERT INTO ${outbox.table} (event) VALUES ('${event.replaceAll("'", "''")}')`)),
    async takeRows() {
      await connections.query(`CREATE TABLE ${outbox.table}_copy AS SELECT * FROM ${outbox.table}`);
      await connections.query(`DELETE FROM ${outbox.table}`);
      return async () =>
        void (await connections.query(
          `INSERT INTO ${outbox.table} OVERRIDING SYSTEM VALUE SELECT * FROM ${outbox.table}_copy`,
        ));
    },
    revocationsLeft: async () => (await connections.query(`SELECT FROM ${outbox.table}_revoked`)).length,
    addRevocationRow: async (text) =>
      void (await connections.query(`INSERT INTO ${outbox.table}_revoked (revocation) VALUES ('${text}')`)),
    dropRevocations: async () => void (await connections.query(`DROP TABLE ${outbox.table}_revoked`)),
    stuck: () => outbox.stuck(connections.pool),
    dropStuckTable: async () => void (await connections.query(`DROP TABLE ${outbox.table}_stuck`)),
    async restore() {
      // In the order in which a relay locks them; in another order, PostgreSQL may find a deadlock and end one of the
      // two.
      const tables = ['_state', '', '_numbered'].map((suffix) => outbox.table + suffix);
      await connections.query(`DROP TABLE ${tables.join(', ')}`);
      await outbox.migrate(connections.pool);
    },
    elsewhere() {
      const other = openPostgres(driver, url, name, options);
      others.push(other);
      return other;
    },
    async close() {
      for (const other of others) await other.close();
      await connections.close();
    },
  };
}

function ids(rows: readonly unknown[]): number[] {
  return rows.map((row) => Number(Reflect.get(Object(row), 'id')));
}
