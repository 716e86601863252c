import type { SqliteDatabase } from '@pregon/outbox';
import Libsql from 'libsql';

export interface TestDatabase extends SqliteDatabase {
  close(): unknown;
}

export interface Driver {
  readonly name: string;
  /** A connection in WAL mode. */
  open(path: string): TestDatabase;
}

/** The drivers that this version of Node.js has: libsql everywhere, `node:sqlite` from Node 22 on. */
export function drivers(): Driver[] {
  const libsql: Driver = { name: 'libsql', open: (path) => inWalMode(new Libsql(path, { timeout: 2_000 })) };
  const builtin = nodeSqlite();
  return builtin === undefined ? [libsql] : [libsql, builtin];
}

function nodeSqlite(): Driver | undefined {
  const module = process.getBuiltinModule('node:sqlite');
  if (module === undefined || !('DatabaseSync' in module) || typeof module.DatabaseSync !== 'function')
    return undefined;
  const DatabaseSync = module.DatabaseSync;
  return {
    name: 'node:sqlite',
    open(path) {
      const db: unknown = Reflect.construct(DatabaseSync, [path, { timeout: 2_000 }]);
      if (!isDatabase(db)) throw new TypeError('DatabaseSync does not have the expected methods');
      return inWalMode(db);
    },
  };
}

function isDatabase(value: unknown): value is TestDatabase {
  return typeof value === 'object' && value !== null && 'prepare' in value && 'exec' in value && 'close' in value;
}

function inWalMode<Db extends TestDatabase>(db: Db): Db {
  db.exec('PRAGMA journal_mode = WAL');
  return db;
}

/** Runs `work` in a transaction, as an application does. */
export function transaction<T>(db: SqliteDatabase, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
