import { messageOf } from '@pregon/protocol';
import { integerIn } from '../column.js';
import { NotNow } from '../relay-source.js';

/** A prepared statement, reduced to what an outbox needs. */
export interface SqliteStatement {
  run(...values: (string | number)[]): { readonly lastInsertRowid: number | bigint };
  all(...values: (string | number)[]): unknown[];
}

/** The handle for writing an event: a connection, which in SQLite also stands for its open transaction. */
export interface SqliteWriter {
  prepare(sql: string): SqliteStatement;
}

/**
 * A synchronous SQLite connection, recognized by its shape: better-sqlite3, libsql, `node:sqlite`, or any other with
 * these two methods. Integers may be returned as `number` or `bigint`.
 */
export interface SqliteDatabase extends SqliteWriter {
  exec(sql: string): unknown;
}

/** Runs `work` in a new transaction and rolls back if it throws. Throws at once if a transaction is already open. */
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
    // After some errors, such as a full disk, SQLite has already rolled back, so nothing is left to do.
    if (!/no transaction is active/.test(messageOf(error))) throw new AggregateError([reason, error], messageOf(error));
  }
}

/**
 * Runs `work` with another lock timeout of this connection, and restores the caller's timeout. All of it is
 * synchronous, so no statement of the caller runs with the other timeout.
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
 * Runs `work` without waiting for a lock. A synchronous wait would block the event loop, and with it the transaction
 * that holds the lock if that one belongs to this process and spans an `await`.
 *
 * @throws NotNow if a lock is held, or if the caller's own transaction is open on this connection
 */
export function withoutWaiting<T>(db: SqliteDatabase, work: () => T): T {
  try {
    return withBusyTimeout(db, () => 0, work);
  } catch (error) {
    if (isLocked(error) || isNested(error)) throw new NotNow(messageOf(error), { cause: error });
    throw error;
  }
}

// These texts are SQLite's own and equal in every driver, but the error codes are not.

/** Returns true if BEGIN failed because a transaction is open on the connection. */
export function isNested(error: unknown): boolean {
  return /within a transaction/.test(messageOf(error));
}

export function isMissingTable(error: unknown): boolean {
  return /no such table/.test(messageOf(error));
}

function isLocked(error: unknown): boolean {
  return /database (table |schema )?is locked/.test(messageOf(error));
}
