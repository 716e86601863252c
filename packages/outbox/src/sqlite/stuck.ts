import { integerIn, valueIn } from '../column.js';
import type { RefusedRow } from '../relay-source.js';
import { sqliteStuckSchema, sqliteStuckTable } from '../sql.js';
import {
  assertStuckChoice,
  assertStuckLimit,
  DEFAULT_STUCK_LIMIT,
  type StuckChoice,
  type StuckEvents,
  stuckEventOf,
} from '../stuck.js';
import { inTransaction, isMissingTable, type SqliteDatabase } from './database.js';
import { bytesIn, shownText, timeIn } from './foreign-columns.js';

/** Copies rows to the table of stuck events, in the transaction that removes them from the outbox. */
export function setAside(db: SqliteDatabase, table: string, rows: readonly RefusedRow[], now: number): void {
  if (rows.length === 0) return;
  db.exec(sqliteStuckSchema(table));
  const stuck = sqliteStuckTable(table);
  // In a recreated outbox, sequences occur again: a stuck event keeps its number, and the next one with the same number
  // gets one below 0.
  const copy = db.prepare(
    `INSERT OR REPLACE INTO ${stuck} (sequence, id, code, reason, written_at, stuck_at, event)
     SELECT CASE WHEN EXISTS (SELECT 1 FROM ${stuck} former WHERE former.sequence = row.sequence AND former.event <> row.event)
         THEN (SELECT min(0, min(sequence)) FROM ${stuck}) - 1 ELSE row.sequence END,
       nullif(?, ''), ?, ?, row.written_at, ?, row.event
     FROM ${table} row WHERE row.sequence = ?`,
  );
  for (const { sequence, id = '', code, reason } of rows) copy.run(id, code, reason, now, sequence);
}

export function countStuck(db: SqliteDatabase, table: string): number {
  return ifTableExists(() => {
    const [row] = db.prepare(`SELECT count(*) AS count FROM ${sqliteStuckTable(table)}`).all();
    return integerIn(row, 'count');
  }, 0);
}

/** Counts the consecutive rows that were set aside, from the given sequence downwards. */
export function countStuckBelow(db: SqliteDatabase, table: string, sequence: number): number {
  return ifTableExists(() => {
    const isStuck = db.prepare(`SELECT 1 FROM ${sqliteStuckTable(table)} WHERE sequence = ?`);
    let count = 0;
    while (isStuck.all(sequence - count).length > 0) count += 1;
    return count;
  }, 0);
}

export interface SqliteStuckOptions {
  readonly db: SqliteDatabase;
  readonly table: string;
  readonly now: () => number;
  /** The bytes of an event in the outbox in addition to those of its text. */
  readonly sequenceBytes: number;
  readonly onRetried: () => void;
}

/** The stuck events of one outbox in SQLite. */
export function sqliteStuck({ db, table, now, sequenceBytes, onRetried }: SqliteStuckOptions): StuckEvents {
  const stuck = sqliteStuckTable(table);
  /** Passes the chosen rows to `use`, then deletes them, in one transaction. @returns their number */
  const take = (which: StuckChoice, use: (where: string, values: (string | number)[]) => void): number => {
    const [where, values] = condition(which);
    return ifTableExists(
      () =>
        inTransaction(db, 'BEGIN IMMEDIATE', () => {
          const [row] = db.prepare(`SELECT count(*) AS count FROM ${stuck} WHERE ${where}`).all(...values);
          use(where, values);
          db.prepare(`DELETE FROM ${stuck} WHERE ${where}`).run(...values);
          return integerIn(row, 'count');
        }),
      0,
    );
  };
  return {
    list(limit = DEFAULT_STUCK_LIMIT) {
      assertStuckLimit(limit);
      return ifTableExists(
        () =>
          db
            .prepare(
              `SELECT sequence, id, code, reason, ${timeIn('written_at')} AS written_at, stuck_at, ${bytesIn(db, 'event')} AS event
               FROM ${stuck} ORDER BY sequence LIMIT ?`,
            )
            .all(limit)
            .map((row) => stuckEventOf(row, shownText(valueIn(row, 'event')))),
        [],
      );
    },
    count: () => countStuck(db, table),
    retry(which) {
      const count = take(which, (where, values) => {
        db.prepare(
          `INSERT INTO ${table} (written_at, bytes, event)
           SELECT ?, length(CAST(event AS BLOB)) + ?, event FROM ${stuck} WHERE ${where} ORDER BY sequence`,
        ).run(now(), sequenceBytes, ...values);
      });
      if (count > 0) onRetried();
      return count;
    },
    drop: (which) => take(which, () => {}),
  };
}

function condition(which: StuckChoice): [string, (string | number)[]] {
  assertStuckChoice(which);
  if (which === 'all') return ['true', []];
  return 'id' in which ? ['id = ?', [which.id]] : ['sequence = ?', [which.sequence]];
}

/** An older migration does not create the table; then it is missing until the first row is set aside. */
function ifTableExists<T>(read: () => T, absent: T): T {
  try {
    return read();
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    return absent;
  }
}
