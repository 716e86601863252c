import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Libsql from 'libsql';
import { errorCode } from '../../shared/error-code.js';

export type SqlValue = string | number | null | Uint8Array;

/** A prepared statement. */
export interface Statement {
  /** Runs it and says how many rows it changed. */
  run(values: readonly SqlValue[]): number;
  /** The first row; undefined where there is none. */
  get(values: readonly SqlValue[]): unknown;
  all(values: readonly SqlValue[]): unknown[];
}

/**
 * One connection to a SQLite file, synchronous. The only file that knows the driver.
 *
 * Of the driver, libsql: a text is cut at its first NUL and lone surrogates in it are replaced, so texts that may hold those are
 * to be escaped by the caller; numbers above 2^53 lose digits; and an iterator that is left before its end keeps its read
 * transaction, so none is offered.
 */
export class Database {
  readonly #connection: Libsql.Database;

  /** @throws the driver's error where the file cannot be opened */
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

  /** Many rows, each the values of its columns in order: objects, and above all byte arrays, cost more to make than what they hold. */
  prepareRows(sql: string): (values: readonly SqlValue[]) => unknown[] {
    const statement = this.#connection.prepare(sql).raw(true);
    return (values) => statement.all(values);
  }

  /** Asks for or sets a pragma; the first column of the first row. */
  pragma(pragma: string): unknown {
    const row: unknown = this.#connection.prepare(`PRAGMA ${pragma}`).get();
    return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
  }

  /** Runs `work` in a transaction that takes the write lock at once; rolls back where it throws. */
  transaction<Result>(work: () => Result): Result {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, a full disk for one.
      if (this.#connection.inTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  /** Ends the connection; its file handles follow when its statements are collected, see {@link releaseStatements}. */
  close(): void {
    this.#connection.close();
  }
}

/**
 * Gives back the file handles of connections that were closed. The driver has no `finalize`: a statement lives until it is
 * collected as garbage, and with it the connection and its locks; so the collection is asked for.
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

/** Whether another process had a lock, so that the same may work a moment later. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(errorCode(error) ?? '');
}
