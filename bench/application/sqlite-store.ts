import { type AppendableLog, createSqliteOutbox, type OutboxEvent } from '@pregon/outbox';
import Database from 'libsql';
import { nowMicros } from '../events.js';
import type { CommitTimes, Store, StoreRelay } from './store.js';

/** Rows and outbox in one SQLite file, relay and writer on one connection, as in the README of the outbox. */
export class SqliteStore implements Store {
  readonly #db: Database.Database;
  readonly #outbox = createSqliteOutbox({ source: '/bench' });
  readonly #update: Database.Statement;

  constructor(path: string) {
    this.#db = new Database(path, { timeout: 5_000 });
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE prices (id INTEGER PRIMARY KEY, price INTEGER NOT NULL); INSERT INTO prices VALUES (1, 0)`);
    this.#outbox.migrate(this.#db);
    this.#update = this.#db.prepare('UPDATE prices SET price = ? WHERE id = 1');
  }

  async change(price: number, event: OutboxEvent): Promise<CommitTimes> {
    this.#db.exec('BEGIN IMMEDIATE');
    this.#update.run(price);
    this.#outbox.add(this.#db, event);
    const began = nowMicros();
    this.#db.exec('COMMIT');
    return { began, ended: nowMicros() };
  }

  relay(log: AppendableLog): StoreRelay {
    return this.#outbox.relay({ db: this.#db, log });
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
