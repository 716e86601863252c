import { existsSync } from 'node:fs';
import type { LogDriver } from '../../core/ports/log-driver.js';
import { adviceFor, expandPath, resolvePath, sqlitePath } from './sqlite-address.js';

/** The driver for a log in a file: `sqlite:PATH`. */
export const sqliteDriver: LogDriver = {
  name: 'SQLite',
  schemes: ['sqlite'],
  example: 'sqlite:PATH',
  assertUrl: (url) => void sqlitePath(url),
  // Opening a log in memory is refused. Several workers on one fail earlier, with the better reason that it belongs to
  // one process.
  capabilities: (url) =>
    /^sqlite::?memory:/i.test(url) ? { processes: 'one', what: 'a log in memory' } : { processes: 'many' },
  async open(url, options) {
    const path = sqlitePath(url);
    return (await import('./sqlite-log.js')).openSqliteLog(path, options);
  },
  resolve: resolvePath,
  advice: adviceFor,
  admin: {
    show: (url) => url,
    exists: async (url) => existsSync(sqlitePath(url)),
    async maintain(url) {
      const path = sqlitePath(url);
      return (await import('./sqlite-log.js')).openSqliteLog(path);
    },
    async database(url) {
      const path = expandPath(url.slice('sqlite:'.length));
      if (path === '') return undefined;
      if (!existsSync(path)) throw new Error(`there is no file ${path}: check the path`);
      return (await import('./sqlite-foreign.js')).openForeignDatabase(path);
    },
  },
};
