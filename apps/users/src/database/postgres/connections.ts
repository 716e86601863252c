import pg from 'pg';
import { DatabaseUnavailable } from '../database.js';
import { Availability, type AvailabilityOptions } from './availability.js';
import { troubleOf } from './trouble.js';

/** A connection in a transaction. */
export type Transaction = pg.PoolClient;

/** How long a request waits for a connection. */
const CONNECT_MS = 5_000;
/** A query that takes longer has no answer: the connection is given up. */
const ANSWER_MS = 10_000;

/**
 * READ COMMITTED: each statement sees what was committed before it began, so that what follows a lock sees the change that the lock
 * waited for. And nobody who was frozen in the middle of a transaction keeps others waiting for ever.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`;

/** The connections to one PostgreSQL database. They come back by themselves when it does. */
export class Connections {
  readonly pool: pg.Pool;
  /** Apart from the pool, so that requests that wait for one another do not keep what was committed from being relayed. */
  readonly relayPool: pg.Pool;
  readonly availability: Availability;

  constructor(url: string, options: AvailabilityOptions) {
    this.pool = createPool(url, 10);
    this.relayPool = createPool(url, 3);
    this.availability = new Availability(options);
  }

  /** @throws DatabaseUnavailable, or what PostgreSQL refuses with */
  query(text: string, values: readonly string[] = []): Promise<unknown[]> {
    return this.answering(async () => (await this.pool.query(text, [...values])).rows);
  }

  /**
   * Runs `work` in a READ COMMITTED transaction, which is rolled back where it throws.
   *
   * @throws DatabaseUnavailable, after which the transaction may have been committed: its answer may be what was lost
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.answering(() => this.transact(work));
  }

  /** Like `transaction`, but throws whatever is in the way as it is. */
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
      // Whose end is not known is not used again; PostgreSQL rolls back when the connection ends.
      client.release(isBroken);
    }
  }

  /** @throws DatabaseUnavailable in place of an error that is no more than that */
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

  /** PostgreSQL was found not to answer. */
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
  // On the client from its first moment: one that is handed out has no listener of the pool's, and its end may come right behind its
  // beginning, before whoever asked for it has been told.
  pool.on('connect', (client) => client.on('error', seenElsewhere));
  pool.on('error', seenElsewhere);
  return pool;
}

/**
 * For connections that end by themselves, as all do when the server restarts. Without a listener the process would end as well. One
 * that is idle is not missed, and where a query is under way, that fails too.
 */
function seenElsewhere(): void {}
