import { join } from 'node:path';
import Database from 'libsql';
import { describe } from 'vitest';
import { describeWithPostgres } from '../../../../test/support/postgres.js';
import { createSchema, runSql } from '../../../../test/support/postgres-schema.js';

/** An empty database for one test, with access to it beside the application. */
export interface TestDatabase {
  /** The settings of the application for this database. */
  readonly settings: { readonly databaseUrl: string | undefined; readonly databaseFile: string };
  /** Runs SQL, as in the shell of the database. */
  sql(text: string): Promise<void>;
  /** SQL that makes every such operation on a table fail, before or after it has changed its row. */
  failing(when: 'BEFORE' | 'AFTER', operation: 'INSERT' | 'UPDATE' | 'DELETE', table: string): string;
  /** SQL that removes this failure. */
  mended(table: string): string;
}

/** @param folder is deleted after the test */
export type CreateDatabase = (folder: string) => Promise<TestDatabase>;

/** The same suite on every database that the application runs on. */
export async function describeOnEachDatabase(name: string, suite: (create: CreateDatabase) => void): Promise<void> {
  describe(`${name}, on SQLite`, () => suite(createSqlite));
  await describeOnPostgres(`${name}, on PostgreSQL`, suite);
}

export function describeOnPostgres(name: string, suite: (create: CreateDatabase) => void): Promise<void> {
  return describeWithPostgres(name, (url) => suite((folder) => createPostgres(url(), folder)));
}

export async function createSqlite(folder: string): Promise<TestDatabase> {
  const databaseFile = join(folder, 'users.db');
  return {
    settings: { databaseUrl: undefined, databaseFile },
    async sql(text) {
      const db = new Database(databaseFile);
      db.exec(text);
      db.close();
    },
    failing: (when, operation, table) =>
      `CREATE TRIGGER fail ${when} ${operation} ON ${table} BEGIN SELECT RAISE(ABORT, 'no'); END`,
    mended: () => 'DROP TRIGGER fail',
  };
}

export async function createPostgres(url: string, folder: string): Promise<TestDatabase> {
  const databaseUrl = await createSchema(url);
  return {
    settings: { databaseUrl, databaseFile: join(folder, 'unused.db') },
    sql: (text) => runSql(databaseUrl, text),
    failing: (when, operation, table) => `
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
      CREATE TRIGGER fail ${when} ${operation} ON ${table} FOR EACH ROW EXECUTE FUNCTION fail()`,
    mended: (table) => `DROP TRIGGER fail ON ${table}`,
  };
}
