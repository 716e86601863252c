import type {
  TypeOrmDataSource,
  TypeOrmEntityManager,
  TypeOrmQueryRunner,
  TypeOrmRepository,
  TypeOrmTransaction,
} from './shapes.js';

// TypeORM keeps its connections in a pool of pg, and hands on what it has of it: an outbox goes through that.

/**
 * The query runner of an open transaction, from whatever TypeORM hands on.
 *
 * @returns undefined where it is nothing of TypeORM's, or its pool
 * @throws TypeError where it is in no transaction: a query would go through any connection of the pool
 */
export function openQueryRunner(handle: unknown): TypeOrmQueryRunner | undefined {
  if (!isOfTransaction(handle)) return undefined;
  const runner = queryRunnerOf(handle);
  if (runner?.isTransactionActive) return runner;
  throw new TypeError(
    'add needs the transaction that the change is made in: this manager is in none; use the one that transaction(…) hands on',
  );
}

function queryRunnerOf(handle: TypeOrmTransaction): TypeOrmQueryRunner | undefined {
  if (isQueryRunner(handle)) return handle;
  return isEntityManager(handle) ? handle.queryRunner : handle.manager.queryRunner;
}

export function isTypeOrmDataSource(handle: unknown): handle is TypeOrmDataSource {
  return isObject(handle) && 'isInitialized' in handle && 'driver' in handle && has(handle, 'createQueryRunner');
}

/** @throws TypeError where it has none, or none yet */
export function poolOfDataSource(dataSource: TypeOrmDataSource): unknown {
  if (!dataSource.isInitialized) throw new TypeError('initialize the DataSource first: it has no connections yet');
  // With replicas too, this is the one that takes writes.
  const pool: unknown = Reflect.get(dataSource.driver, 'master');
  if (!isObject(pool)) throw new TypeError('not a DataSource on PostgreSQL: its driver has no pool of pg');
  return pool;
}

function isOfTransaction(handle: unknown): handle is TypeOrmTransaction {
  if (isTypeOrmDataSource(handle)) return false;
  return isEntityManager(handle) || isQueryRunner(handle) || isRepository(handle);
}

function isRepository(handle: unknown): handle is TypeOrmRepository {
  return isObject(handle) && isEntityManager(Reflect.get(handle, 'manager'));
}

function isQueryRunner(handle: unknown): handle is TypeOrmQueryRunner {
  return isObject(handle) && 'isTransactionActive' in handle && has(handle, 'connect');
}

function isEntityManager(handle: unknown): handle is TypeOrmEntityManager {
  return isObject(handle) && has(handle, 'getRepository');
}

function isObject(handle: unknown): handle is object {
  return typeof handle === 'object' && handle !== null;
}

function has(handle: object, method: string): boolean {
  return typeof Reflect.get(handle, method) === 'function';
}
