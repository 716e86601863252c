import type { EmbeddedDatabase } from '../../core/ports/log-driver.js';
import { Database } from './database/sqlite-database.js';

const LOCK_WAIT_MS = 5_000;

/**
 * Opens the database of an application, which is not a log, with the driver of the log. `lastInsertRowid` is always 0.
 */
export function openForeignDatabase(path: string): EmbeddedDatabase {
  const database = new Database(path);
  database.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
  const db: EmbeddedDatabase['db'] = {
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
