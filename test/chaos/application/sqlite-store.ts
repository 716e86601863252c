import { randomUUID } from 'node:crypto';
import { type AppendableLog, createSqliteOutbox, type Relay } from '@pregon/outbox';
import Database from 'libsql';
import { EXCHANGE, SOURCE } from '../names.js';
import type { RevocationKind, TableName } from '../verification/truth.js';
import type { Death } from './death.js';
import { blockTarget } from './revocations.js';
import { INSERT_COMMITTED, INSERT_REVOCATION, SELECT_TABLE, schema } from './schema.js';
import type { Change, Row, Store, Transaction, Value } from './store.js';

/** Rows and outbox in one SQLite file; writers, snapshots and relay have a connection each. */
export class SqliteStore implements Store {
  readonly longestTransactionMs = 30;
  readonly #death: Death;
  readonly #writer: Database.Database;
  readonly #reader: Database.Database;
  readonly #relayed: Database.Database;
  readonly #outbox = createSqliteOutbox({ source: SOURCE });
  readonly #statements = new Map<string, Database.Statement>();
  /** The current transaction; the next one waits for it, because they share a connection. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string, death: Death) {
    this.#death = death;
    this.#writer = open(file);
    this.#reader = open(file);
    this.#relayed = open(file);
  }

  async migrate(): Promise<void> {
    for (const statement of schema('INTEGER PRIMARY KEY AUTOINCREMENT')) this.#writer.exec(statement);
    this.#outbox.migrate(this.#writer);
  }

  transaction(work: (tx: Transaction) => Promise<void>): Promise<void> {
    const done = this.#last.then(() => this.#transact(work));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async snapshot(table: TableName): Promise<object> {
    return this.#outbox.snapshot(this.#reader, () => this.#reader.prepare(SELECT_TABLE[table]).all());
  }

  relay(log: AppendableLog, onError: (error: Error) => void): Relay {
    return this.#outbox.relay({ db: this.#relayed, log, onError });
  }

  async close(): Promise<void> {
    await this.#last;
    for (const db of [this.#writer, this.#reader, this.#relayed]) db.close();
  }

  async #transact(work: (tx: Transaction) => Promise<void>): Promise<void> {
    const name = randomUUID();
    this.#writer.exec('BEGIN IMMEDIATE');
    try {
      await work({
        run: async (sql, ...values) => this.#all(sql, values),
        emit: async (change) => this.#emit(name, change),
        revoke: async (kind, user) => this.#revoke(kind, user),
      });
      this.#death.at('before commit');
      this.#writer.exec('COMMIT');
      this.#death.at('after commit');
    } catch (error) {
      if (this.#writer.inTransaction) this.#writer.exec('ROLLBACK');
      throw error;
    }
  }

  #emit(name: string, { topic, type, row, version, data }: Change): void {
    const event = this.#outbox.add(this.#writer, { exchange: EXCHANGE, topic, type, subject: row, data });
    this.#all(INSERT_COMMITTED, [name, event.id, topic, row, version, Date.now()]);
  }

  #revoke(kind: RevocationKind, user: string): void {
    this.#all(INSERT_REVOCATION, [kind, user, Date.now()]);
    const target = blockTarget(user);
    if (kind === 'block') this.#outbox.block(this.#writer, target);
    else this.#outbox.revoke(this.#writer, { iss: target.iss, sub: target.sub });
  }

  #all(sql: string, values: readonly Value[]): Row[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#writer.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...values).filter(isRow);
  }
}

function open(file: string): Database.Database {
  const db = new Database(file, { timeout: 10_000 });
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  return db;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}
