import type { KeptValue } from '../../../core/ports/kept.js';
import { assertRoom } from '../../shared/kept-values.js';
import { columns, numberIn, RowError, textIn } from './rows.js';
import type { Database, Statement } from './sqlite-database.js';

/**
 * The most rows that one step reads, and the most expired rows that one change removes. With values of the maximum
 * length, they take a few milliseconds.
 */
export const KEPT_PAGE = 50;

export interface KeptRow {
  readonly key: string;
  readonly value: KeptValue;
}

export interface KeptChangeRow {
  readonly revision: number;
  readonly key: string;
  /** The current value, which may be the result of a later change; undefined if the key was removed. */
  readonly value: KeptValue | undefined;
}

/** The rows of the kept values. Keys and values are JSON texts, which can represent NUL and lone surrogates. */
export class SqliteKeptRows {
  readonly #database: Database;
  readonly #page: Statement;
  readonly #changes: Statement;
  readonly #count: Statement;
  readonly #isThere: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #deleteExpired: Statement;
  readonly #next: Statement;
  readonly #revision: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#page = database.prepare(`SELECT key, value, expires FROM kept WHERE key > ? ORDER BY key LIMIT ${KEPT_PAGE}`);
    this.#changes = database.prepare(
      `SELECT revision, change.key AS key, value, expires FROM kept_change AS change LEFT JOIN kept ON kept.key = change.key
       WHERE revision > ? ORDER BY revision LIMIT ${KEPT_PAGE}`,
    );
    this.#count = database.prepare('SELECT count(*) AS count FROM kept');
    this.#isThere = database.prepare('SELECT count(*) AS count FROM kept WHERE key = ?');
    this.#put = database.prepare(
      `INSERT INTO kept (key, value, expires) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
    );
    this.#delete = database.prepare('DELETE FROM kept WHERE key = ?');
    this.#deleteExpired = database.prepare(
      `DELETE FROM kept WHERE key IN (SELECT key FROM kept WHERE expires <= ? LIMIT ${KEPT_PAGE})`,
    );
    this.#next = database.prepare('UPDATE kept_revision SET revision = revision + 1');
    this.#revision = database.prepare('SELECT coalesce(max(revision), 0) AS revision FROM kept_change');
  }

  /** The revision of the last change. */
  revision(): number {
    return numberIn(this.#revision.get([]), 'revision');
  }

  /**
   * Returns up to {@link KEPT_PAGE} values after a key, in a stable order of the keys. Expired values may be among
   * them.
   */
  page(after: string | undefined): KeptRow[] {
    return this.#page.all([after === undefined ? '' : JSON.stringify(after)]).map((row) => {
      const value = valueIn(row);
      if (!value) throw new RowError();
      return { key: decode(textIn(row, 'key')), value };
    });
  }

  /** Returns the first {@link KEPT_PAGE} changes after a revision that the file still has. */
  changes(after: number): KeptChangeRow[] {
    return this.#changes.all([after]).map((row) => ({
      revision: numberIn(row, 'revision'),
      key: decode(textIn(row, 'key')),
      value: valueIn(row),
    }));
  }

  /** @throws PregonError KEPT_FULL */
  put(key: string, { value, expiresAt }: KeptValue, now: number): void {
    const text = JSON.stringify(key);
    this.#database.transaction(() => {
      this.#deleteExpired.run([now]);
      const isNew = numberIn(this.#isThere.get([text]), 'count') === 0;
      if (isNew) assertRoom(numberIn(this.#count.get([]), 'count'));
      this.#put.run([text, JSON.stringify(value), expiresAt ?? null]);
      this.#advance();
    });
  }

  delete(key: string): void {
    this.#database.transaction(() => {
      if (this.#delete.run([JSON.stringify(key)]) > 0) this.#advance();
    });
  }

  /** Increments the revision in which releases of format 2 look for changes. */
  #advance(): void {
    this.#next.run([]);
  }
}

function valueIn(row: unknown): KeptValue | undefined {
  const { value, expires } = columns(row);
  if (value === null) return undefined;
  if (typeof value !== 'string' || (expires !== null && typeof expires !== 'number')) throw new RowError();
  return { value: decode(value), expiresAt: expires ?? undefined };
}

function decode(text: string): string {
  return String(JSON.parse(text));
}
