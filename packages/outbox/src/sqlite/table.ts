import { toBatch } from '../batch.js';
import { integerIn } from '../column.js';
import { BATCH_BYTES, NotNow, type OutboxBatch, type RefusedRow, type RelaySource } from '../relay-source.js';
import type { RevocationSource } from '../revocations/revocation-source.js';
import {
  inTransaction,
  isMissingTable,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteWriter,
  withoutWaiting,
} from './database.js';
import { bytesIn, timeIn, withText } from './foreign-columns.js';
import { SqliteRevocations } from './revocations.js';
import { ShownRows } from './shown-rows.js';
import { countStuck, setAside } from './stuck.js';

/**
 * The maximum number of rows that one transaction renumbers after they were put back, and the time for consecutive
 * transactions.
 */
const RENUMBERED_AT_ONCE = 1_000;
const RENUMBER_MS = 10;

/**
 * Returns a function that reads the highest sequence ever committed. `sqlite_sequence` is part of the transaction that
 * reads it, it outlives the rows, and a rolled-back transaction returns its numbers. So inside a read transaction the
 * value is exact.
 */
export function highestSequence(db: SqliteWriter, table: string): () => number {
  const statement = prepared(db, table, `SELECT seq FROM sqlite_sequence WHERE name = '${table}' COLLATE NOCASE`);
  return () => {
    const [row] = statement.all();
    return row === undefined ? 0 : integerIn(row, 'seq');
  };
}

/**
 * Returns the sequence before the first remaining row, because a row is removed only once it is in the log. Undefined
 * if no row remains.
 */
export function relayedSequence(db: SqliteWriter, table: string): number | undefined {
  const [row] = prepared(db, table, `SELECT sequence FROM ${table} ORDER BY sequence LIMIT 1`).all();
  return row === undefined ? undefined : integerIn(row, 'sequence') - 1;
}

/** @throws TypeError if the table is missing */
export function sqliteRelaySource(db: SqliteDatabase, table: string, now: () => number): RelaySource<number> {
  return new SqliteTable(db, table, now);
}

/**
 * The outbox table, as a relay drains it.
 *
 * Commit order is number order: a number is assigned inside a write transaction, SQLite has one writer at a time, and
 * the numbers of a rolled-back transaction are assigned again. So there is never an uncommitted row below a visible
 * one.
 *
 * Another program may insert a row with a lower number, for example from a backup. This relay has removed all rows down
 * there, so any such row was put back. It gets the next number, because the log already has the events of the higher
 * numbers.
 */
class SqliteTable implements RelaySource<number> {
  readonly name: string;
  readonly #db: SqliteDatabase;
  readonly #now: () => number;
  readonly #highest: () => number;
  readonly #lowest: SqliteStatement;
  readonly #select: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #copyToEnd: SqliteStatement;
  readonly #deleteCopied: SqliteStatement;
  readonly #count: SqliteStatement;
  readonly #oldest: SqliteStatement;
  readonly revocations: RevocationSource;
  readonly #shown = new ShownRows();
  /** This relay has removed all rows up to this sequence. */
  #removed = 0;

  constructor(db: SqliteDatabase, table: string, now: () => number) {
    const prepare = (sql: string) => prepared(db, table, sql);
    this.name = table;
    this.revocations = new SqliteRevocations(db, table);
    this.#db = db;
    this.#now = now;
    this.#highest = highestSequence(db, table);
    this.#lowest = prepare(`SELECT sequence FROM ${table} ORDER BY sequence LIMIT 1`);
    this.#select = prepare(selectBatch(table, bytesIn(db, 'event')));
    // The second condition protects a database that was restored in the meantime: there, these numbers name other
    // events.
    this.#delete = prepare(
      `DELETE FROM ${table} WHERE sequence BETWEEN ? AND ?
       AND (SELECT seq FROM sqlite_sequence WHERE name = '${table}' COLLATE NOCASE) >= ?`,
    );
    const below = `SELECT sequence FROM ${table} WHERE sequence <= ? ORDER BY sequence LIMIT ${RENUMBERED_AT_ONCE}`;
    this.#copyToEnd = prepare(
      `INSERT INTO ${table} (written_at, bytes, event) SELECT written_at, bytes, event FROM ${table}
       WHERE sequence IN (${below}) ORDER BY sequence`,
    );
    this.#deleteCopied = prepare(`DELETE FROM ${table} WHERE sequence IN (${below})`);
    this.#count = prepare(`SELECT count(*) AS count FROM ${table} WHERE sequence > ? OR sequence <= ?`);
    this.#oldest = prepare(
      `SELECT ${timeIn('written_at')} AS written_at FROM ${table} WHERE sequence > ? OR sequence <= ?
       ORDER BY sequence LIMIT 1`,
    );
  }

  read(after: number, maxCount: number): OutboxBatch {
    return withoutWaiting(this.#db, () => {
      const until = performance.now() + RENUMBER_MS;
      for (;;) {
        const batch = this.#readUnlessPutBack(after, maxCount);
        if (batch !== undefined) return batch;
        this.#renumber();
        if (performance.now() > until) throw new NotNow('rows that were put back are being renumbered');
      }
    });
  }

  remove(through: number, refused: readonly RefusedRow[]): void {
    withoutWaiting(this.#db, () =>
      inTransaction(this.#db, 'BEGIN IMMEDIATE', () => {
        setAside(this.#db, this.name, refused, this.#now());
        for (const { from, to } of this.#shown.runsUpTo(through)) this.#delete.run(from, to, through);
      }),
    );
    this.#shown.dropUpTo(through);
    this.#removed = through;
  }

  count(after: number): number {
    return integerIn(this.#count.all(after, this.#removed)[0], 'count');
  }

  countStuck(): number {
    return countStuck(this.#db, this.name);
  }

  lagMs(after: number): number {
    const [row] = this.#oldest.all(after, this.#removed);
    return row === undefined ? 0 : Math.max(0, this.#now() - integerIn(row, 'written_at'));
  }

  /** @returns undefined if there are rows that were put back */
  #readUnlessPutBack(after: number, maxCount: number): OutboxBatch | undefined {
    // BEGIN fails if the caller has an open transaction on this connection. That keeps its uncommitted rows hidden from
    // the relay, whatever the driver.
    return inTransaction(this.#db, 'BEGIN', () => {
      const [lowest] = this.#lowest.all();
      const isPutBack = lowest !== undefined && integerIn(lowest, 'sequence') <= this.#removed;
      if (isPutBack && this.#removed <= this.#highest()) return undefined;
      const batch = isPutBack ? undefined : this.#batch(after, maxCount);
      // Checked only when nothing is left to read, so that it does not slow down a backlog.
      if (batch !== undefined && (batch.through > after || after <= this.#highest())) return batch;
      this.#removed = 0;
      return { ...this.#batch(0, maxCount), anew: 'the table was restored or recreated: all of its rows are relayed' };
    });
  }

  #batch(after: number, maxCount: number): OutboxBatch {
    const batch = toBatch(this.#select.all(after, maxCount, BATCH_BYTES, after).map(withText), after);
    this.#shown.add(after, batch);
    return batch;
  }

  #renumber(): void {
    inTransaction(this.#db, 'BEGIN IMMEDIATE', () => {
      this.#copyToEnd.run(this.#removed);
      this.#deleteCopied.run(this.#removed);
    });
  }
}

/**
 * Returns SQL that reads rows up to the byte limit, but at least one row of any size. It uses `total`, because `sum`
 * fails if other programs have written sizes whose sum exceeds an integer.
 */
function selectBatch(table: string, event: string): string {
  return `SELECT sequence, ${event} AS event FROM ${table} WHERE sequence <= (
    SELECT max(sequence) FROM (
      SELECT sequence, total(bytes) OVER (ORDER BY sequence) - bytes AS before
      FROM (SELECT sequence, bytes FROM ${table} WHERE sequence > ? ORDER BY sequence LIMIT ?)
    ) WHERE before < ?
  ) AND sequence > ? ORDER BY sequence`;
}

function prepared(db: SqliteWriter, table: string, sql: string): SqliteStatement {
  try {
    return db.prepare(sql);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    throw new TypeError(`there is no table ${table}: call migrate(db) first`, { cause: error });
  }
}
