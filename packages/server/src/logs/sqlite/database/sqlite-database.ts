import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Libsql from 'libsql';
import { errorCode } from '../../shared/error-code.js';

export type SqlValue = string | number | null | Uint8Array;

/** A prepared statement. */
export interface Statement {
  /** Runs the statement and returns the number of changed rows. */
  run(values: readonly SqlValue[]): number;
  /** Returns the first row; undefined if there is none. */
  get(values: readonly SqlValue[]): unknown;
  all(values: readonly SqlValue[]): unknown[];
}

/**
 * A synchronous connection to a SQLite file. Only this file imports the driver.
 *
 * The libsql driver has these limits. It cuts a text at its first NUL and replaces lone surrogates, so callers must
 * escape texts that may contain them. Numbers above 2^53 lose digits. An iterator that is not read to its end keeps its
 * read transaction, so this class offers none.
 */
export class Database {
  readonly #connection: Libsql.Database;

  /** @throws the driver's error if the file cannot be opened */
  constructor(path: string) {
    this.#connection = new Libsql(path);
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  prepare(sql: string): Statement {
    const statement = this.#connection.prepare(sql);
    return {
      run: (values) => statement.run(values).changes,
      get: (values) => statement.get(values),
      all: (values) => statement.all(values),
    };
  }

  /**
   * Prepares a query that returns each row as an array of column values. Creating objects, and above all byte arrays,
   * costs more than copying their contents.
   */
  prepareRows(sql: string): (values: readonly SqlValue[]) => unknown[] {
    const statement = this.#connection.prepare(sql).raw(true);
    return (values) => statement.all(values);
  }

  /** Reads or sets a pragma. Returns the first column of the first row. */
  pragma(pragma: string): unknown {
    const row: unknown = this.#connection.prepare(`PRAGMA ${pragma}`).get();
    return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
  }

  /** Runs `work` in a transaction that takes the write lock at once; rolls back if it throws. */
  transaction<Result>(work: () => Result): Result {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // After some errors, such as a full disk, SQLite has already rolled back.
      if (this.#connection.inTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * Closes the connection. Its file handles are released when its statements are collected, see {@link
   * releaseStatements}.
   */
  close(): void {
    this.#connection.close();
  }
}

/**
 * Releases the file handles of closed connections. The driver has no `finalize`: a statement, and with it the
 * connection and its locks, lives until it is garbage-collected. So this function runs the garbage collector.
 */
export async function releaseStatements(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') return;
  for (let round = 0; round < 2; round++) {
    await turn();
    collect();
  }
  await turn();
}

/** Tells whether another process held a lock, so that a retry may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(errorCode(error) ?? '');
}
