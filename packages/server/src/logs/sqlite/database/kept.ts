import type { KeptState, KeptValue } from '../../../core/ports/kept.js';
import { assertRoom } from '../../shared/kept-values.js';
import { columns, numberIn, RowError, textIn } from './rows.js';
import type { Database, Statement } from './sqlite-database.js';

/** The rows of what outlives retention. Keys and values as JSON texts, which have a form for NUL and lone surrogates. */
export class SqliteKeptRows {
  readonly #database: Database;
  readonly #all: Statement;
  readonly #count: Statement;
  readonly #isThere: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #deleteExpired: Statement;
  readonly #next: Statement;
  readonly #revision: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#all = database.prepare('SELECT key, value, expires FROM kept WHERE expires IS NULL OR expires > ?');
    this.#count = database.prepare('SELECT count(*) AS count FROM kept');
    this.#isThere = database.prepare('SELECT count(*) AS count FROM kept WHERE key = ?');
    this.#put = database.prepare(
      `INSERT INTO kept (key, value, expires) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
    );
    this.#delete = database.prepare('DELETE FROM kept WHERE key = ?');
    this.#deleteExpired = database.prepare('DELETE FROM kept WHERE expires <= ?');
    this.#next = database.prepare('UPDATE kept_revision SET revision = revision + 1');
    this.#revision = database.prepare("SELECT birth || ' ' || revision AS revision FROM log, kept_revision");
  }

  /** Differs after each change, and in another file. */
  revision(): string {
    return textIn(this.#revision.get([]), 'revision');
  }

  all(now: number): KeptState {
    return new Map(
      this.#all.all([now]).map((row) => {
        const { expires } = columns(row);
        if (expires !== null && typeof expires !== 'number') throw new RowError();
        return [decode(textIn(row, 'key')), { value: decode(textIn(row, 'value')), expiresAt: expires ?? undefined }];
      }),
    );
  }

  /** @throws PregonError KEPT_FULL */
  put(key: string, { value, expiresAt }: KeptValue, now: number): void {
    const text = JSON.stringify(key);
    this.#database.transaction(() => {
      this.#deleteExpired.run([now]);
      const isNew = numberIn(this.#isThere.get([text]), 'count') === 0;
      if (isNew) assertRoom(numberIn(this.#count.get([]), 'count'));
      this.#put.run([text, JSON.stringify(value), expiresAt ?? null]);
      this.#next.run([]);
    });
  }

  delete(key: string): void {
    this.#database.transaction(() => {
      if (this.#delete.run([JSON.stringify(key)]) > 0) this.#next.run([]);
    });
  }
}

function decode(text: string): string {
  return String(JSON.parse(text));
}
