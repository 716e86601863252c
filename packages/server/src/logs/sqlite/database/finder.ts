import type { LogPoint } from '@pregon/protocol';
import type { FindRequest, Found, StoredEntry } from '../../../core/ports/stored-entry.js';
import { findLimit, toFound } from '../../shared/found.js';
import type { SqliteEntries } from './entries.js';
import { STORED_COLUMNS } from './rows.js';
import type { Database, SqlValue } from './sqlite-database.js';

/** Reads single entries with all their stored attributes. */
export class SqliteFinder {
  readonly #entries: SqliteEntries;
  readonly #exchanges: ReadonlySet<string> | undefined;
  readonly #exchangeTexts: readonly string[];
  readonly #at: (values: readonly SqlValue[]) => unknown[];
  readonly #ofSource: (values: readonly SqlValue[]) => unknown[];
  readonly #ofAny: (values: readonly SqlValue[]) => unknown[];

  constructor(database: Database, entries: SqliteEntries, exchanges: readonly string[] | undefined) {
    this.#entries = entries;
    this.#exchanges = exchanges && new Set(exchanges);
    this.#at = database.prepareRows(`SELECT ${STORED_COLUMNS} FROM entry WHERE offset = ? AND fingerprint = ?`);
    this.#exchangeTexts = exchanges?.map((exchange) => JSON.stringify(exchange)) ?? [];
    const wanted = exchanges
      ? `AND exchange IN (SELECT id FROM name WHERE text IN (${exchanges.map(() => '?').join(', ')}))`
      : '';
    // Both queries use the unique index over source and id.
    const prepare = (source: string) =>
      database.prepareRows(
        `SELECT ${STORED_COLUMNS} FROM entry WHERE source ${source} AND id = ? ${wanted} ORDER BY offset LIMIT ?`,
      );
    this.#ofSource = prepare('= (SELECT id FROM source WHERE text = ?)');
    this.#ofAny = prepare('IN (SELECT id FROM source)');
  }

  /** @see Log.detail */
  at({ offset, fingerprint }: LogPoint): StoredEntry | undefined {
    const [row] = this.#at([offset, fingerprint]);
    const entry = row === undefined ? undefined : this.#entries.toStored(row);
    return entry && this.#isWanted(entry) ? entry : undefined;
  }

  /** @see Log.find */
  find(request: FindRequest): Found {
    const limit = findLimit(request);
    const { id, source } = request;
    // One entry more than the limit shows whether there are more.
    const values = [JSON.stringify(id), ...this.#exchangeTexts, Math.min(limit + 1, Number.MAX_SAFE_INTEGER)];
    const rows = source === undefined ? this.#ofAny(values) : this.#ofSource([JSON.stringify(source), ...values]);
    return toFound(
      rows.map((row) => this.#entries.toStored(row)),
      limit,
    );
  }

  #isWanted({ exchange }: StoredEntry): boolean {
    return this.#exchanges === undefined || this.#exchanges.has(exchange);
  }
}
