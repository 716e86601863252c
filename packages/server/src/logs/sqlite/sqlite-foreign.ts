import { Database } from './database/sqlite-database.js';

/** A connection of the shape of `SqliteDatabase` of `@pregon/outbox`. */
interface ForeignDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): {
    run(...values: (string | number)[]): { readonly lastInsertRowid: number };
    all(...values: (string | number)[]): unknown[];
  };
}

const LOCK_WAIT_MS = 5_000;

/** Opens the database of an application, which is not a log, with the driver of the log. `lastInsertRowid` is always 0. */
export function openForeignDatabase(path: string): { readonly db: ForeignDatabase; close(): void } {
  const database = new Database(path);
  database.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
  const db: ForeignDatabase = {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        run(...values) {
          statement.run(values);
          return { lastInsertRowid: 0 };
        },
        all: (...values) => statement.all(values),
      };
    },
  };
  return { db, close: () => database.close() };
}
