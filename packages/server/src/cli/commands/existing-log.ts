import { existsSync } from 'node:fs';
import { PregonError } from '@pregon/protocol';
import { isRabbitUrl, openLog } from '../../logs/open.js';
import { isSqliteUrl, sqlitePath, unknownLog } from '../../logs/sqlite/sqlite-address.js';
import type { SqliteLog } from '../../logs/sqlite/sqlite-log.js';

/**
 * Opens a log that is there: whoever asks what a log holds, or trims it, would not learn from an empty one, made on the spot, that the
 * name is wrong.
 *
 * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE
 */
export async function openExistingLog(url: string): Promise<SqliteLog> {
  if (isRabbitUrl(url)) {
    throw new PregonError('CONFIG_INVALID', 'this is for logs in SQLite; for RabbitMQ, see pregon help bus');
  }
  if (!isSqliteUrl(url)) throw unknownLog(url);
  const path = sqlitePath(url);
  if (!existsSync(path)) {
    throw new PregonError('CONFIG_INVALID', `there is no log ${url}; name one with --log=sqlite:PATH`);
  }
  return openLog(`sqlite:${path}`);
}
