import { PregonError } from '@pregon/protocol';
import { openSqliteLog, type SqliteLog, type SqliteLogOptions } from './sqlite.js';

/**
 * Opens the log that a URL names: `sqlite:PATH`, with the path relative to the working directory.
 *
 * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE
 */
export async function openLog(url: string, options: SqliteLogOptions = {}): Promise<SqliteLog> {
  const path = /^sqlite:(.+)$/s.exec(url)?.[1];
  if (path !== undefined) return openSqliteLog(path, options);
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? JSON.stringify(url);
  throw new PregonError('CONFIG_INVALID', `a log of kind ${scheme} is not supported; what is: sqlite:PATH`);
}
