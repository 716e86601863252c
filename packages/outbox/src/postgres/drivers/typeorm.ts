import type {
  TypeOrmDataSource,
  TypeOrmEntityManager,
  TypeOrmQueryRunner,
  TypeOrmRepository,
  TypeOrmTransaction,
} from './shapes.js';

// TypeORM keeps its connections in a pool of pg. An outbox uses that pool through the handles of TypeORM.

/**
 * Returns the query runner of an open transaction, for any handle of TypeORM.
 *
 * @returns undefined if it is not a handle of TypeORM, or if it is its pool
 * @throws TypeError if the handle is not in a transaction: its query would use any connection of the pool
 * @example
 * await dataSource.transaction(async (manager) => {
 *   const runner = openQueryRunner(manager);
 * });
 */
export function openQueryRunner(handle: unknown): TypeOrmQueryRunner | undefined {
  if (!isOfTransaction(handle)) return undefined;
  const runner = queryRunnerOf(handle);
  if (runner?.isTransactionActive) return runner;
  throw new TypeError(
    'add needs the transaction in which the change is made: this manager is not in one; use the one that transaction(…) passes on',
  );
}

function queryRunnerOf(handle: TypeOrmTransaction): TypeOrmQueryRunner | undefined {
  if (isQueryRunner(handle)) return handle;
  return isEntityManager(handle) ? handle.queryRunner : handle.manager.queryRunner;
}

export function isTypeOrmDataSource(handle: unknown): handle is TypeOrmDataSource {
  return isObject(handle) && 'isInitialized' in handle && 'driver' in handle && has(handle, 'createQueryRunner');
}

/** @throws TypeError if it has no pool of pg, or is not initialized */
export function poolOfDataSource(dataSource: TypeOrmDataSource): unknown {
  if (!dataSource.isInitialized) throw new TypeError('initialize the DataSource first: it has no connections yet');
  // With replicas, this is the pool that accepts writes.
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
