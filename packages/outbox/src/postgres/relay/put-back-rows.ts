import { integerIn } from '../../column.js';
import type { Database } from '../database.js';
import type { PostgresNames } from '../schema.js';
import { type Mark, NUMBERED_AT_ONCE, oldest } from './numbering.js';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/**
 * After a search of this length, wait SHARE times as long. A search is slow if a backup keeps dead rows from being
 * vacuumed.
 */
const SHARE = 50;

/**
 * Finds rows that were put back into the outbox from a dump or a copy. They have their old `tx`, `id` and `sequence`,
 * so they lie before the mark from which the relay reads, and the relay would never see them.
 */
export class PutBackRows {
  readonly #db: Database;
  readonly #names: PostgresNames;
  #lookAt = 0;

  constructor(db: Database, names: PostgresNames) {
    this.#db = db;
    this.#names = names;
  }

  /** Delays the next search: the relay is about to read from the first row. */
  begin(now: number): void {
    this.#lookAt = now + FIRST_MS;
  }

  /**
   * Searches for such rows if it is time to. It takes no lock. Rows that already have a number go back to the
   * unnumbered rows, because other rows have their numbers now.
   *
   * @param now milliseconds on a monotonic clock
   * @returns true if there are rows of transactions before the mark
   */
  async look(from: Mark, now: number): Promise<boolean> {
    if (now < this.#lookAt) return false;
    const { outbox, numbered, state } = this.#names;
    const [row] = await this.#db.query(
      `SELECT (SELECT count(*) FROM (SELECT FROM ${outbox} WHERE tx < ${oldest(from)} LIMIT 1) early)::text AS early,
        (SELECT count(*) FROM (
          SELECT FROM ${numbered} WHERE sequence <= (SELECT relayed FROM ${state}) LIMIT 1
        ) relayed)::text AS relayed`,
    );
    const hasRelayed = integerIn(row, 'relayed') > 0;
    if (hasRelayed) await this.#takeBack();
    const pauseMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, SHARE * (performance.now() - now)));
    // There may be more such rows than one query takes.
    this.#lookAt = performance.now() + (hasRelayed ? 0 : pauseMs);
    return hasRelayed || integerIn(row, 'early') > 0;
  }

  /**
   * A relay removes rows in the same transaction that records them as relayed. So a row up to that record that still
   * exists was put back.
   */
  async #takeBack(): Promise<void> {
    const { outbox, numbered, state } = this.#names;
    await this.#db.query(
      `WITH first AS (
        SELECT sequence FROM ${numbered} WHERE sequence <= (SELECT relayed FROM ${state})
        ORDER BY sequence LIMIT ${NUMBERED_AT_ONCE}
      ), taken AS (
        DELETE FROM ${numbered} n USING first WHERE n.sequence = first.sequence RETURNING n.sequence, n.written_at, n.event
      ) INSERT INTO ${outbox} (written_at, event) SELECT written_at, event FROM taken ORDER BY sequence`,
    );
  }
}
