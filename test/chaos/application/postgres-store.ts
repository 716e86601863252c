import { randomUUID } from 'node:crypto';
import { type AppendableLog, createPostgresOutbox } from '@pregon/outbox';
import pg from 'pg';
import { EXCHANGE, SOURCE } from '../names.js';
import type { RevocationKind, TableName } from '../verification/truth.js';
import type { Death } from './death.js';
import { blockTarget } from './revocations.js';
import { INSERT_COMMITTED, INSERT_REVOCATION, SELECT_TABLE, schema } from './schema.js';
import type { Change, Row, Store, StoreRelay, Transaction } from './store.js';

const CONNECTIONS = 16;
/** How long the server may delay a new connection. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Rows and outbox in PostgreSQL; writers, snapshots and relay take connections from one pool. */
export class PostgresStore implements Store {
  readonly longestTransactionMs = 3_000;
  readonly #death: Death;
  readonly #pool: pg.Pool;
  readonly #outbox = createPostgresOutbox({ source: SOURCE });

  /** @param report called for connections that are lost while no query is running */
  constructor(url: string, death: Death, report: (error: unknown) => void) {
    this.#death = death;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    this.#pool.on('error', report);
    // A connection can be lost in a transaction between two queries.
    this.#pool.on('connect', (client) => client.on('error', report));
  }

  async migrate(): Promise<void> {
    for (const statement of schema('BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY'))
      await this.#pool.query(statement);
    await this.#outbox.migrate(this.#pool);
  }

  async transaction(work: (tx: Transaction) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN');
      await work(
        transactionOn(client, {
          add: (change) => this.#emit(client, change),
          revoke: (kind, user) => this.#revoke(client, kind, user),
        }),
      );
      this.#death.at('before commit');
      await client.query('COMMIT');
      this.#death.at('after commit');
      client.release();
    } catch (error) {
      await rollBack(client);
      throw error;
    }
  }

  snapshot(table: TableName): Promise<object> {
    return this.#outbox.snapshot(this.#pool, async (client) => (await client.query(SELECT_TABLE[table])).rows);
  }

  relay(log: AppendableLog, onError: (error: Error) => void): StoreRelay {
    return this.#outbox.relay({ db: this.#pool, log, onError });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /**
   * The row changes before its event is added, so a transaction that waited for the row is also later in the outbox.
   */
  async #emit(client: pg.PoolClient, { topic, type, row, data }: Change): Promise<string> {
    const event = await this.#outbox.add(client, { exchange: EXCHANGE, topic, type, subject: row, data });
    return event.id;
  }

  #revoke(client: pg.PoolClient, kind: RevocationKind, user: string): Promise<void> {
    const target = blockTarget(user);
    if (kind === 'block') return this.#outbox.block(client, target);
    return this.#outbox.revoke(client, { iss: target.iss, sub: target.sub });
  }
}

interface Outbox {
  add(change: Change): Promise<string>;
  revoke(kind: RevocationKind, user: string): Promise<void>;
}

function transactionOn(client: pg.PoolClient, outbox: Outbox): Transaction {
  const name = randomUUID();
  const run = async (sql: string, ...values: (string | number | null)[]): Promise<Row[]> => {
    let n = 0;
    const result = await client.query<Row>(
      sql.replaceAll('?', () => `$${++n}`),
      values,
    );
    return result.rows;
  };
  return {
    run,
    async emit(change) {
      const id = await outbox.add(change);
      await run(INSERT_COMMITTED, name, id, change.topic, change.row, change.version, Date.now());
    },
    async revoke(kind, user) {
      await run(INSERT_REVOCATION, kind, user, Date.now());
      await outbox.revoke(kind, user);
    },
  };
}

/** If the connection is lost, the server rolls back by itself; the pool must not reuse the connection. */
async function rollBack(client: pg.PoolClient): Promise<void> {
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}
