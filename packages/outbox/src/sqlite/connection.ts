import { get, type HandleKind, has, innerOfDrizzle, isObject, kindOf } from '../handles.js';
import type { SqliteWriter } from './database.js';

/** What to pass instead of a handle that an outbox in SQLite cannot use, for the error. */
const INSTEAD: Partial<Readonly<Record<HandleKind, string>>> = {
  event: 'the event is the second argument: add(db, event)',
  knex: 'knex is asynchronous: pass the inner connection, await trx.client.acquireConnection(), of better-sqlite3',
  kysely: 'Kysely is asynchronous: pass the inner connection, the database passed to new SqliteDialect({ database })',
  'mikro-orm': 'MikroORM is asynchronous: pass the inner connection, of better-sqlite3 or libsql',
  'mikro-orm-manager': 'MikroORM is asynchronous: pass the inner connection, of better-sqlite3 or libsql',
  mysql2: 'this is mysql2: an outbox needs SQLite (createSqliteOutbox) or PostgreSQL (createPostgresOutbox)',
  pglite: 'this is PGlite: use createPostgresOutbox',
  'postgres.js': 'this is postgres(…): use createPostgresOutbox',
  prisma:
    'Prisma exposes no connection: write the row with tx.$executeRaw, and pass a separate connection to the relay',
  sequelize: 'Sequelize is asynchronous: pass a connection of better-sqlite3, libsql or node:sqlite',
  'sequelize-transaction': 'Sequelize is asynchronous: pass a connection of better-sqlite3, libsql or node:sqlite',
  'sqlite-async': 'this driver is asynchronous: pass a connection of better-sqlite3, libsql or node:sqlite',
  typeorm:
    'TypeORM is asynchronous: pass the inner connection, dataSource.driver.databaseConnection, of better-sqlite3',
};

const WANTED = 'pass a synchronous connection to SQLite: better-sqlite3, libsql or node:sqlite';

/**
 * Returns the connection below a handle, or the handle itself. No statement is prepared or run on a refused handle.
 *
 * @param needed the methods that will be called on it
 * @throws TypeError with what to pass instead
 */
export function connectionOf<Db extends SqliteWriter>(db: Db, needed: readonly string[]): Db {
  if (kindOf(db) === 'drizzle') return connectionOf(innerOf(db), needed);
  const instead = INSTEAD[kindOf(db)];
  if (instead !== undefined) throw new TypeError(instead);
  if (has(db, 'query') && !has(db, 'prepare'))
    throw new TypeError('this is a connection to PostgreSQL: use createPostgresOutbox');
  if (!needed.every((method) => has(db, method))) throw new TypeError(WANTED);
  return db;
}

function innerOf<Db extends SqliteWriter>(drizzle: Db): Db {
  const inner = innerOfDrizzle(drizzle);
  if (!isConnection<Db>(inner)) throw new TypeError(`this Drizzle does not use a synchronous driver: ${WANTED}`);
  return inner;
}

function isConnection<Db extends SqliteWriter>(handle: unknown): handle is Db {
  return isObject(handle) && has(handle, 'prepare') && kindOf(handle) === 'sqlite';
}

/** @throws TypeError if the result is a promise, as from an asynchronous driver; its rejection is ignored */
export function assertSynchronous(result: unknown): void {
  const then = get(result, 'then');
  if (typeof then !== 'function') return;
  then.call(result, undefined, () => {});
  throw new TypeError(`this driver is asynchronous: ${WANTED}`);
}
