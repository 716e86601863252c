import { messageOf } from '@pregon/protocol';
import { integerIn } from '../column.js';
import { NotNow } from '../relay-source.js';

/** A prepared statement, as far as an outbox needs one. */
export interface SqliteStatement {
  run(...values: (string | number)[]): { readonly lastInsertRowid: number | bigint };
  all(...values: (string | number)[]): unknown[];
}

/** What an event is written through: a connection, which in SQLite is also the transaction that is open on it. */
export interface SqliteWriter {
  prepare(sql: string): SqliteStatement;
}

/**
 * A synchronous SQLite connection, known by its shape: better-sqlite3, libsql, `node:sqlite` and whatever else has these
 * two methods. Integers may come back as `number` or `bigint`.
 */
export interface SqliteDatabase extends SqliteWriter {
  exec(sql: string): unknown;
}

/** Runs `work` in a transaction of its own; rolls back where it throws. Throws at once where one is open already. */
export function inTransaction<T>(db: SqliteDatabase, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  db.exec(begin);
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(db, error);
    throw error;
  }
}

function rollBack(db: SqliteDatabase, reason: unknown): void {
  try {
    db.exec('ROLLBACK');
  } catch (error) {
    // SQLite has rolled back by itself on some errors, a full disk among them: then there is nothing left to do.
    if (!/no transaction is active/.test(messageOf(error))) throw new AggregateError([reason, error], messageOf(error));
  }
}

/**
 * Runs `work` with another limit on how long this connection waits for a lock, and puts the caller's limit back. All of
 * it is synchronous, so no statement of the caller's runs under the other limit.
 */
export function withBusyTimeout<T>(db: SqliteDatabase, choose: (currentMs: number) => number, work: () => T): T {
  const [row] = db.prepare('PRAGMA busy_timeout').all();
  const currentMs = integerIn(row, 'timeout');
  const chosenMs = choose(currentMs);
  if (chosenMs === currentMs) return work();
  db.exec(`PRAGMA busy_timeout = ${chosenMs}`);
  try {
    return work();
  } finally {
    db.exec(`PRAGMA busy_timeout = ${currentMs}`);
  }
}

/**
 * Runs `work` without ever waiting for a lock: a synchronous wait would stop the event loop, and with it the very transaction
 * that holds the lock, where that one is of this process and spans an `await`.
 *
 * @throws NotNow where a lock is held, or the caller's own transaction is open on this connection
 */
export function withoutWaiting<T>(db: SqliteDatabase, work: () => T): T {
  try {
    return withBusyTimeout(db, () => 0, work);
  } catch (error) {
    if (isLocked(error) || isNested(error)) throw new NotNow(messageOf(error), { cause: error });
    throw error;
  }
}

// These texts are SQLite's own and the same through every driver, which their error codes are not.

/** True where BEGIN failed because a transaction is open on the connection. */
export function isNested(error: unknown): boolean {
  return /within a transaction/.test(messageOf(error));
}

export function isMissingTable(error: unknown): boolean {
  return /no such table/.test(messageOf(error));
}

function isLocked(error: unknown): boolean {
  return /database (table |schema )?is locked/.test(messageOf(error));
}
