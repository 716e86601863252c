import pg from 'pg';
import { DatabaseUnavailable } from '../database.js';
import { Availability, type AvailabilityOptions } from './availability.js';
import { troubleOf } from './trouble.js';

/** A connection in a transaction. */
export type Transaction = pg.PoolClient;

/** How long a request waits for a connection from the pool. */
const CONNECT_MS = 5_000;
/** A query that takes longer counts as unanswered, and its connection is closed. */
const ANSWER_MS = 10_000;

/**
 * READ COMMITTED: each statement sees what was committed before it started, so a statement after a lock sees the change
 * that the lock waited for. The timeouts keep a process that hangs in a transaction from blocking others for ever.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`;

/** The connections to a PostgreSQL database. They recover by themselves when the server does. */
export class Connections {
  readonly pool: pg.Pool;
  /** A separate pool, so that requests that wait for each other do not delay the relay. */
  readonly relayPool: pg.Pool;
  readonly availability: Availability;

  constructor(url: string, options: AvailabilityOptions) {
    this.pool = createPool(url, 10);
    this.relayPool = createPool(url, 3);
    this.availability = new Availability(options);
  }

  /** @throws DatabaseUnavailable | the error with which PostgreSQL refuses the query */
  query(text: string, values: readonly string[] = []): Promise<unknown[]> {
    return this.answering(async () => (await this.pool.query(text, [...values])).rows);
  }

  /**
   * Runs `work` in a READ COMMITTED transaction, which is rolled back if it throws.
   *
   * @throws DatabaseUnavailable; the transaction may have been committed all the same, if only the answer was lost
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.answering(() => this.transact(work));
  }

  /** Like `transaction`, but throws the original error. */
  async transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let isBroken = true;
    try {
      await client.query(BEGIN);
      const result = await work(client);
      await client.query('COMMIT');
      isBroken = false;
      return result;
    } catch (error) {
      if (troubleOf(error) !== undefined) throw error;
      await client.query('ROLLBACK');
      isBroken = false;
      throw error;
    } finally {
      // A connection with an unknown outcome is closed, and PostgreSQL rolls back its transaction.
      client.release(isBroken);
    }
  }

  /** @throws DatabaseUnavailable instead of an error that means only that */
  async answering<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === undefined) throw error;
      if (trouble === 'unreachable') this.lost(error);
      throw new DatabaseUnavailable(`PostgreSQL is ${trouble}`, { cause: error });
    }
  }

  /** Reports that PostgreSQL does not answer. */
  lost(error: unknown): void {
    this.availability.lost(error, () => this.pool.query('SELECT 1'));
  }

  async close(): Promise<void> {
    await this.availability.close();
    await Promise.all([this.pool.end(), this.relayPool.end()]);
  }
}

function createPool(connectionString: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    fallback_application_name: 'pregon-users',
  });
  // Add the listener when the client connects. The pool does not listen on a client in use, and the connection may end
  // right after its start, before the caller gets the client.
  pool.on('connect', (client) => client.on('error', seenElsewhere));
  pool.on('error', seenElsewhere);
  return pool;
}

/**
 * Handles connections that end by themselves, as all do when the server restarts. Without a listener, the process would
 * end too. An idle connection is not missed, and a pending query fails with its own error.
 */
function seenElsewhere(): void {}
