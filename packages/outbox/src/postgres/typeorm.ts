import type { TypeOrmDataSource, TypeOrmEntityManager, TypeOrmQueryRunner } from './shapes.js';

// TypeORM keeps its connections in a pool of pg, and hands on what it has of it: an outbox goes through that.

/**
 * The query runner of an open transaction, from either of the two things that TypeORM hands on.
 *
 * @returns undefined where it is neither of the two
 * @throws TypeError where it is in no transaction: a query would go through any connection of the pool
 */
export function openQueryRunner(handle: unknown): TypeOrmQueryRunner | undefined {
  if (!isEntityManager(handle) && !isQueryRunner(handle)) return undefined;
  const runner = isQueryRunner(handle) ? handle : handle.queryRunner;
  if (runner?.isTransactionActive) return runner;
  throw new TypeError(
    'add needs the transaction that the change is made in: this manager is in none; use the one that transaction(…) hands on',
  );
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

function isQueryRunner(handle: unknown): handle is TypeOrmQueryRunner {
  return isObject(handle) && 'isTransactionActive' in handle && has(handle, 'connect');
}

function isEntityManager(handle: unknown): handle is TypeOrmEntityManager {
  return isObject(handle) && has(handle, 'getRepository') && !has(handle, 'createQueryRunner');
}

function isObject(handle: unknown): handle is object {
  return typeof handle === 'object' && handle !== null;
}

function has(handle: object, method: string): boolean {
  return typeof Reflect.get(handle, method) === 'function';
}
