import { assertEvent, PregonError, type PregonEvent } from '@pregon/protocol';
import { withSequence } from '../event.js';
import type { OutboxBatch, RelaySource } from '../relay-source.js';
import {
  inTransaction,
  integerIn,
  isMissingTable,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteWriter,
  textIn,
  withoutWaiting,
} from './database.js';

/** Where a batch ends early, so that a backlog of large events is never in memory at once: 4 MiB. */
const BATCH_BYTES = 4_194_304;

/**
 * Tells the highest sequence ever committed. `sqlite_sequence` is part of the transaction that it is read in, it
 * outlives the rows, and a rolled-back transaction gives its numbers back, so inside a read transaction this is exact.
 */
export function highestSequence(db: SqliteWriter, table: string): () => number {
  const statement = prepared(db, table, `SELECT seq FROM sqlite_sequence WHERE name = '${table}' COLLATE NOCASE`);
  return () => {
    const [row] = statement.all();
    return row === undefined ? 0 : integerIn(row, 'seq');
  };
}

/** The sequence before the first row that is left: a row goes only once it is in the log. Undefined where none is left. */
export function relayedSequence(db: SqliteWriter, table: string): number | undefined {
  const [row] = prepared(db, table, `SELECT sequence FROM ${table} ORDER BY sequence LIMIT 1`).all();
  return row === undefined ? undefined : integerIn(row, 'sequence') - 1;
}

/**
 * The table as a relay drains it.
 *
 * Commit order is number order: a number is given out inside a write transaction, SQLite has one writer at a time, and the
 * numbers of a transaction that rolls back are given out again. So a row that is visible has no uncommitted row below it.
 *
 * @throws TypeError where the table is missing
 */
export function sqliteRelaySource(db: SqliteDatabase, table: string): RelaySource {
  const highest = highestSequence(db, table);
  const select = prepared(db, table, selectBatch(table));
  const remove = prepared(
    db,
    table,
    // The second condition: where the database was restored meanwhile, these numbers name other events.
    `DELETE FROM ${table} WHERE sequence <= ? AND (SELECT seq FROM sqlite_sequence WHERE name = '${table}' COLLATE NOCASE) >= ?`,
  );
  const count = prepared(db, table, `SELECT count(*) AS count FROM ${table} WHERE sequence > ?`);
  const oldest = prepared(db, table, `SELECT written_at FROM ${table} WHERE sequence > ? ORDER BY sequence LIMIT 1`);
  return {
    name: table,
    read(after, maxCount) {
      // BEGIN fails inside a transaction of the caller's on this connection, whose rows are not committed yet: this is
      // what keeps them from being seen, whatever the driver.
      const rows = withoutWaiting(db, () =>
        inTransaction(db, 'BEGIN', () => select.all(after, maxCount, BATCH_BYTES, after)),
      );
      return readBatch(rows, after);
    },
    isAhead: (sequence) => withoutWaiting(db, () => sequence > highest()),
    remove(through) {
      withoutWaiting(db, () => inTransaction(db, 'BEGIN IMMEDIATE', () => remove.run(through, through)));
    },
    count: (after) => integerIn(count.all(after)[0], 'count'),
    oldestMs(after) {
      const [row] = oldest.all(after);
      return row === undefined ? undefined : integerIn(row, 'written_at');
    },
  };
}

/** The rows whose predecessors in the batch stay below the limit of bytes: one at least, however large. */
function selectBatch(table: string): string {
  return `SELECT sequence, event FROM ${table} WHERE sequence <= (
    SELECT max(sequence) FROM (
      SELECT sequence, sum(bytes) OVER (ORDER BY sequence) - bytes AS before
      FROM (SELECT sequence, bytes FROM ${table} WHERE sequence > ? ORDER BY sequence LIMIT ?)
    ) WHERE before < ?
  ) AND sequence > ? ORDER BY sequence`;
}

function readBatch(rows: readonly unknown[], after: number): OutboxBatch {
  let through = after;
  const events = rows.map((row) => {
    through = integerIn(row, 'sequence');
    return readEvent(through, textIn(row, 'event'));
  });
  return { events, through };
}

function readEvent(sequence: number, text: string): PregonEvent {
  try {
    const event: unknown = JSON.parse(text);
    assertEvent(event);
    return withSequence(event, sequence);
  } catch (cause) {
    throw new PregonError('EVENT_INVALID', `row ${sequence} of the outbox holds no event: ${String(cause)}`, { cause });
  }
}

function prepared(db: SqliteWriter, table: string, sql: string): SqliteStatement {
  try {
    return db.prepare(sql);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    throw new TypeError(`there is no table ${table}: call migrate(db) first`, { cause: error });
  }
}
