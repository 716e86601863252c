import { type AppendableLog, createPostgresOutbox, type OutboxEvent } from '@pregon/outbox';
import pg from 'pg';
import { nowMicros } from '../events.js';
import type { CommitTimes, Store, StoreRelay } from './store.js';

/** Rows and outbox in PostgreSQL, writer and relay on one pool. */
export class PostgresStore implements Store {
  readonly #pool: pg.Pool;
  readonly #outbox = createPostgresOutbox({ source: '/bench' });

  private constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url });
  }

  static async open(url: string): Promise<PostgresStore> {
    const store = new PostgresStore(url);
    await store.#pool.query('CREATE TABLE prices (id integer PRIMARY KEY, price integer NOT NULL)');
    await store.#pool.query('INSERT INTO prices VALUES (1, 0)');
    await store.#outbox.migrate(store.#pool);
    return store;
  }

  /** A rejection ends the measurement and its connections, so the client need not be released. */
  async change(price: number, event: OutboxEvent): Promise<CommitTimes> {
    const client = await this.#pool.connect();
    await client.query('BEGIN');
    await client.query('UPDATE prices SET price = $1 WHERE id = 1', [price]);
    await this.#outbox.add(client, event);
    const began = nowMicros();
    await client.query('COMMIT');
    const ended = nowMicros();
    client.release();
    return { began, ended };
  }

  relay(log: AppendableLog): StoreRelay {
    return this.#outbox.relay({ db: this.#pool, log });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
