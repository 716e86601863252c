import type { LogPoint } from '@pregon/protocol';
import type { StoredEntry } from '../../../core/ports/stored-entry.js';
import type { SqliteEntries } from './entries.js';
import { STORED_COLUMNS } from './rows.js';
import type { Database, SqlValue } from './sqlite-database.js';

/** Reads single entries with all that is kept of them. */
export class SqliteFinder {
  readonly #entries: SqliteEntries;
  readonly #exchanges: ReadonlySet<string> | undefined;
  readonly #at: (values: readonly SqlValue[]) => unknown[];

  constructor(database: Database, entries: SqliteEntries, exchanges: readonly string[] | undefined) {
    this.#entries = entries;
    this.#exchanges = exchanges && new Set(exchanges);
    this.#at = database.prepareRows(`SELECT ${STORED_COLUMNS} FROM entry WHERE offset = ? AND fingerprint = ?`);
  }

  /** @see Log.detail */
  at({ offset, fingerprint }: LogPoint): StoredEntry | undefined {
    const [row] = this.#at([offset, fingerprint]);
    const entry = row === undefined ? undefined : this.#entries.toStored(row);
    return entry && this.#isWanted(entry) ? entry : undefined;
  }

  #isWanted({ exchange }: StoredEntry): boolean {
    return this.#exchanges === undefined || this.#exchanges.has(exchange);
  }
}
