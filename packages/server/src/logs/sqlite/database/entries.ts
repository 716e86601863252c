import type { LogEntry } from '../../../core/ports/log-entry.js';
import type { StoredEntry } from '../../../core/ports/stored-entry.js';
import { attributesInPayload, decodeAttributes } from '../../shared/attributes.js';
import type { SqliteNames } from './names.js';
import { assertEntryRow, toStoredColumns } from './rows.js';

/** Makes entries from rows and restores the names, which are stored once. */
export class SqliteEntries {
  readonly #names: SqliteNames;
  readonly #sources: SqliteNames;

  constructor(names: SqliteNames, sources: SqliteNames) {
    this.#names = names;
    this.#sources = sources;
  }

  /** @param row a row that begins with the columns of an `EntryRow` */
  toEntry(row: unknown): LogEntry {
    assertEntryRow(row);
    const [offset, fingerprint, exchange, type, source, sequence, topic, payload] = row;
    return {
      offset,
      fingerprint,
      exchange: this.#names.text(exchange),
      topic,
      type: this.#names.text(type),
      source: this.#sources.text(source),
      sequence: sequence ?? undefined,
      payload: Buffer.from(payload),
    };
  }

  /** @param row a row of `STORED_COLUMNS` */
  toStored(row: unknown): StoredEntry {
    const entry = this.toEntry(row);
    const { id, attributes } = toStoredColumns(row);
    const kept = attributes === null ? attributesInPayload(entry.payload) : decodeAttributes(attributes);
    return { ...entry, ...kept, id: String(JSON.parse(id)) };
  }
}
