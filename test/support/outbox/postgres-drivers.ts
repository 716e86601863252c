import type { OutboxSnapshot, PostgresOutbox, PostgresPool, PostgresTransaction } from '@pregon/outbox';
import { Kysely, PostgresDialect, sql as raw } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';

/** An open transaction, for adding events and for the application's own queries. */
export interface PostgresTestTransaction {
  readonly tx: PostgresTransaction;
  query(text: string): Promise<unknown[]>;
}

/** The connections of an application through one driver. */
export interface PostgresConnections {
  readonly pool: PostgresPool;
  query(text: string): Promise<unknown[]>;
  transaction<T>(work: (transaction: PostgresTestTransaction) => Promise<T>): Promise<T>;
  snapshot<Row>(
    outbox: PostgresOutbox,
    read: (query: (text: string) => Promise<unknown[]>) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  close(): Promise<void>;
}

export interface PostgresDriver {
  readonly name: string;
  /** Whether the driver receives NOTIFY. */
  readonly listens: boolean;
  open(url: string, options?: { readonly max?: number }): PostgresConnections;
}

export const POSTGRES_DRIVERS: readonly PostgresDriver[] = [
  { name: 'pg', listens: true, open: openPg },
  { name: 'postgres', listens: true, open: openPostgresJs },
  { name: 'kysely', listens: false, open: openKysely },
];

function openPg(url: string, { max = 30 } = {}): PostgresConnections {
  const pool = new pg.Pool({ connectionString: url, max });
  // pg requires an error listener of every application. The relay does not rely on it, as the processes in test/e2e
  // prove.
  pool.on('error', () => {});
  const queryOn = (client: pg.Pool | pg.PoolClient) => async (text: string) => (await client.query(text)).rows;
  return {
    pool,
    query: queryOn(pool),
    async transaction(work) {
      const client = await pool.connect();
      const lost = () => {};
      client.on('error', lost);
      try {
        await client.query('BEGIN');
        const result = await work({ tx: client, query: queryOn(client) });
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      } finally {
        client.removeListener('error', lost);
        client.release();
      }
    },
    snapshot: (outbox, read) =>
      outbox.snapshot(pool, (client) => read(async (text) => (await client.query(text)).rows)),
    close: () => pool.end(),
  };
}

function openPostgresJs(url: string, { max = 30 } = {}): PostgresConnections {
  // A connection that is cut while its types are being fetched ends the process, by an unhandled rejection in postgres
  // 3.4.9.
  const sql = postgres(url, { max, fetch_types: false, onnotice: () => {} });
  const queryOn = (handle: postgres.ISql) => async (text: string) => [...(await handle.unsafe(text))];
  return {
    pool: sql,
    query: queryOn(sql),
    async transaction<T>(work: (transaction: PostgresTestTransaction) => Promise<T>) {
      const box = await sql.begin(async (tx) => ({ value: await work({ tx, query: queryOn(tx) }) }));
      return box.value;
    },
    snapshot: (outbox, read) => outbox.snapshot(sql, (tx) => read(queryOn(tx))),
    // The driver would wait for ever for a connection that was cut during a query and not used since.
    close: () => sql.end({ timeout: 1 }),
  };
}

function openKysely(url: string, { max = 30 } = {}): PostgresConnections {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  // Kysely holds clients of its pool without an error listener, so a cut connection would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) });
  const queryOn = (handle: Kysely<object>) => async (text: string) => (await raw.raw(text).execute(handle)).rows;
  return {
    pool: db,
    query: queryOn(db),
    transaction: (work) => db.transaction().execute((tx) => work({ tx, query: queryOn(tx) })),
    snapshot: (outbox, read) => outbox.snapshot(db, (tx) => read(queryOn(tx))),
    close: () => db.destroy(),
  };
}
