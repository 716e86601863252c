import { get, type HandleKind, has, innerOfDrizzle, isObject, kindOf } from '../../handles.js';

/** What to pass instead of a handle that an outbox in PostgreSQL cannot use, for the error. */
const INSTEAD: Partial<Readonly<Record<HandleKind, string>>> = {
  event: 'the event is the second argument: add(tx, event)',
  'mikro-orm': 'pass the em that orm.em.transactional(…) passes on; if a pool is needed, pass a Pool of pg',
  mysql2: 'this is mysql2: an outbox needs PostgreSQL (createPostgresOutbox) or SQLite (createSqliteOutbox)',
  prisma: 'Prisma exposes no connection: INSERT the event with tx.$executeRaw, and pass a Pool of pg to the relay',
  sequelize: 'pass the transaction that sequelize.transaction(…) passes on; if a pool is needed, pass a Pool of pg',
  sqlite: 'this is a connection to SQLite: use createSqliteOutbox',
  'sqlite-async': 'this is a connection to SQLite: use createSqliteOutbox, with a synchronous driver',
};

const POOL_INSTEAD: Partial<Readonly<Record<HandleKind, string>>> = {
  knex: 'the pool of knex gives no connection to listen on: pass a Pool of pg with the same settings',
  'mikro-orm-manager': 'pass a Pool of pg with the same settings as MikroORM',
  pglite: 'PGlite is one connection, in this process: a relay and a snapshot need a Pool of pg',
  'sequelize-transaction': 'pass a Pool of pg with the same settings as Sequelize',
};

/**
 * Returns the driver's connection below a transaction of an ORM, or a promise of it if the ORM returns one.
 *
 * @returns the handle itself if it is not a transaction of such an ORM
 * @throws TypeError with what to pass instead, if the handle cannot be used or is not in a transaction
 */
export function innerConnection(handle: unknown): unknown {
  const kind = kindOf(handle);
  const instead = INSTEAD[kind];
  if (instead !== undefined) throw new TypeError(instead);
  if (!isObject(handle)) return handle;
  switch (kind) {
    case 'drizzle':
      return innerOfDrizzle(handle);
    case 'sequelize-transaction':
      return assertPg('sequelize', get(handle, 'connection'));
    case 'knex':
      return innerOfKnex(handle);
    case 'mikro-orm-manager':
      return innerOfManager(handle);
    default:
      return handle;
  }
}

/**
 * Returns the driver's pool below the pool of an ORM, or the handle itself if it does not belong to an ORM.
 *
 * @throws TypeError with what to pass instead, if the handle cannot be used
 */
export function innerPool(handle: unknown): unknown {
  const kind = kindOf(handle);
  const instead = INSTEAD[kind] ?? POOL_INSTEAD[kind];
  if (instead !== undefined) throw new TypeError(instead);
  return kind === 'drizzle' && isObject(handle) ? innerOfDrizzle(handle) : handle;
}

function innerOfKnex(handle: object): Promise<unknown> {
  if (get(handle, 'isTransaction') !== true) {
    throw new TypeError('this is knex itself, a pool: pass the trx that knex.transaction(…) passes on');
  }
  const client = get(handle, 'client');
  const acquire = get(client, 'acquireConnection');
  const acquired: unknown = typeof acquire === 'function' ? acquire.call(client) : undefined;
  return Promise.resolve(acquired).then((connection) => assertPg('knex', connection));
}

/** The transaction context of MikroORM is a transaction of knex or Kysely. */
function innerOfManager(handle: object): unknown {
  const context = get(handle, 'getTransactionContext');
  const inner: unknown = typeof context === 'function' ? context.call(handle) : undefined;
  if (inner !== undefined) return innerConnection(inner);
  throw new TypeError(
    'this EntityManager of MikroORM is not in a transaction: pass the em that em.transactional(…) passes on',
  );
}

function assertPg(library: string, connection: unknown): unknown {
  if (has(connection, 'query') && has(connection, 'escapeIdentifier')) return connection;
  throw new TypeError(
    `the connection of ${library} is not one of pg: configure ${library} for PostgreSQL, with the driver pg`,
  );
}
