import type { Settings } from '../settings.js';
import type { Database, DatabaseOptions } from './database.js';
import { openPostgres } from './postgres/open.js';
import { openSqlite } from './sqlite/open.js';

/**
 * Opens the database of the settings and brings its tables up to date. Waits for a server that is not available yet.
 *
 * @throws PregonError CONFIG_INVALID if it can never be used with these settings
 */
export async function openDatabase(
  { databaseUrl, databaseFile }: Pick<Settings, 'databaseUrl' | 'databaseFile'>,
  options: DatabaseOptions,
): Promise<Database> {
  return databaseUrl === undefined ? openSqlite(databaseFile, options) : openPostgres(databaseUrl, options);
}
