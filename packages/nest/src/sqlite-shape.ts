import type { SqliteDatabase } from '@pregon/outbox';

/** Whether a value is a synchronous SQLite connection, by its shape. */
export function isSqliteDatabase(handle: unknown): handle is SqliteDatabase {
  return isObject(handle) && isMethod(handle, 'prepare') && isMethod(handle, 'exec');
}

function isObject(handle: unknown): handle is object {
  return typeof handle === 'object' && handle !== null;
}

function isMethod(handle: object, name: string): boolean {
  return typeof Reflect.get(handle, name) === 'function';
}
