import type { Settings } from '../settings.js';
import type { Database, DatabaseOptions } from './database.js';
import { openPostgres } from './postgres/open.js';
import { openSqlite } from './sqlite/open.js';

/**
 * Opens the database that the settings name and brings its tables up to date. Waits for a server that is not there yet.
 *
 * @throws PregonError CONFIG_INVALID where it can never be used with these settings
 */
export async function openDatabase(
  { databaseUrl, databaseFile }: Pick<Settings, 'databaseUrl' | 'databaseFile'>,
  options: DatabaseOptions,
): Promise<Database> {
  return databaseUrl === undefined ? openSqlite(databaseFile, options) : openPostgres(databaseUrl, options);
}
