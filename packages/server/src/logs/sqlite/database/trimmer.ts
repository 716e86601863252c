import type { Retention } from '../../shared/retention.js';
import { assertMarkRow, columns, type MarkRow } from './rows.js';
import type { Database, Statement } from './sqlite-database.js';

/** The limits of one step, which holds the write lock and blocks the event loop for a few milliseconds at most. */
const STEP_COUNT = 500;
const STEP_BYTES = 4_194_304;

/** Drops the oldest entries from the file of one connection. */
export class SqliteTrimmer {
  readonly #database: Database;
  readonly #beyond: Statement;
  readonly #mark: Statement;
  readonly #setDropped: Statement;
  readonly #setFloor: Statement;
  readonly #delete: Statement;

  constructor(database: Database) {
    this.#database = database;
    // Offset, sum of bytes and time all grow along the log, so the entries beyond any limit are a prefix of it.
    this.#beyond = database.prepare(
      `SELECT max(offset) AS offset FROM (
         SELECT offset, bytes - length(payload) AS before, time, row_number() OVER (ORDER BY offset) AS number
         FROM (SELECT offset, bytes, time, payload FROM entry ORDER BY offset LIMIT ${STEP_COUNT}))
       WHERE (offset <= ? OR before < ? OR time < ?) AND (number = 1 OR before < ?)`,
    );
    this.#mark = database.prepare('SELECT offset, fingerprint, bytes, time FROM entry WHERE offset = ?');
    this.#setDropped = database.prepare(
      `UPDATE source SET dropped = max(dropped, gone.highest + 1)
       FROM (SELECT source, max(sequence) AS highest FROM entry WHERE offset <= ? AND sequence IS NOT NULL GROUP BY source) gone
       WHERE source.id = gone.source`,
    );
    this.#setFloor = database.prepare('UPDATE log SET floor_offset = ?, floor_fingerprint = ?, floor_bytes = ?');
    this.#delete = database.prepare('DELETE FROM entry WHERE offset <= ?');
  }

  /**
   * Drops a few entries and sets the floor, in one transaction.
   * @returns the number of dropped entries; 0 if all limits hold
   */
  step(limits: Retention, last: () => MarkRow, floor: () => MarkRow, now: number): number {
    // Most calls find nothing to drop, so check before taking the write lock.
    if (this.#boundary(limits, last(), floor(), now) === undefined) return 0;
    return this.#database.transaction(() => {
      const from = floor();
      const boundary = this.#boundary(limits, last(), from, now);
      if (boundary === undefined) return 0;
      const mark = this.#mark.get([boundary]);
      assertMarkRow(mark);
      this.#setDropped.run([boundary]);
      this.#setFloor.run([mark.offset, mark.fingerprint, mark.bytes]);
      return this.#delete.run([boundary]);
    });
  }

  /** Returns the offset of the last entry that this step drops. */
  #boundary(limits: Retention, last: MarkRow, floor: MarkRow, now: number): number | undefined {
    const { maxCount = Number.MAX_SAFE_INTEGER, maxBytes = Number.MAX_SAFE_INTEGER, maxAgeMs = now } = limits;
    const row = this.#beyond.get([
      last.offset - maxCount,
      last.bytes - maxBytes,
      now - maxAgeMs,
      floor.bytes + STEP_BYTES,
    ]);
    const offset = columns(row)['offset'];
    return typeof offset === 'number' ? offset : undefined;
  }
}
