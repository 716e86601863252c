import type { Database } from './database.js';
import { innerPool } from './drivers/foreign-handles.js';
import { kyselyDatabase } from './drivers/kysely.js';
import { pgDatabase } from './drivers/pg.js';
import { postgresJsDatabase } from './drivers/postgres-js.js';
import { isTypeOrmDataSource, poolOfDataSource } from './drivers/typeorm.js';
import { isKyselyDatabase, isPgPool, isPostgresJsSql } from './session.js';

/** @throws TypeError if it is not a pool of a known driver */
export function databaseOf(handle: unknown, answerMs: number): Database {
  const pool = isTypeOrmDataSource(handle) ? poolOfDataSource(handle) : innerPool(handle);
  if (isKyselyDatabase(pool)) return kyselyDatabase(pool, answerMs);
  if (isPostgresJsSql(pool)) return postgresJsDatabase(pool, answerMs);
  if (isPgPool(pool)) return pgDatabase(pool, answerMs);
  throw new TypeError(
    'not a Pool of pg, a postgres(…), a Kysely, a DataSource or a drizzle(…): a single connection is not enough, and it does not reconnect',
  );
}
