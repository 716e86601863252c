import { integerIn, textIn } from '../column.js';
import { decodeEvent } from '../event.js';
import { BATCH_BYTES, type OutboxBatch, type RelaySource } from '../relay-source.js';
import {
  inTransaction,
  isMissingTable,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteWriter,
  withoutWaiting,
} from './database.js';

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
 * @param now milliseconds since the epoch
 * @throws TypeError where the table is missing
 */
export function sqliteRelaySource(db: SqliteDatabase, table: string, now: () => number): RelaySource<number> {
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
      return withoutWaiting(db, () =>
        inTransaction(db, 'BEGIN', () => {
          const readAfter = (point: number) => readBatch(select.all(point, maxCount, BATCH_BYTES, point), point);
          const batch = readAfter(after);
          // Looked at where nothing is left to read, so that a backlog is read without it.
          if (batch.events.length > 0 || after <= highest()) return batch;
          return { ...readAfter(0), anew: 'the table was restored or made anew: relaying all of it' };
        }),
      );
    },
    remove(through) {
      withoutWaiting(db, () => inTransaction(db, 'BEGIN IMMEDIATE', () => remove.run(through, through)));
    },
    count: (after) => integerIn(count.all(after)[0], 'count'),
    lagMs(after) {
      const [row] = oldest.all(after);
      return row === undefined ? 0 : Math.max(0, now() - integerIn(row, 'written_at'));
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
    return decodeEvent(through, textIn(row, 'event'));
  });
  return { events, through };
}

function prepared(db: SqliteWriter, table: string, sql: string): SqliteStatement {
  try {
    return db.prepare(sql);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    throw new TypeError(`there is no table ${table}: call migrate(db) first`, { cause: error });
  }
}
