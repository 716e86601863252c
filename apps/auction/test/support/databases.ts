import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'libsql';
import pg from 'pg';
import { describe } from 'vitest';
import { describeWithPostgres } from '../../../../test/support/postgres.js';

/** An empty database for one test, and a way into it beside the application. */
export interface TestDatabase {
  /** What the settings of the application say of it. */
  readonly settings: { readonly databaseUrl: string | undefined; readonly databaseFile: string };
  /** Runs SQL, as somebody with the database's own shell would. */
  sql(text: string): Promise<void>;
  /** SQL that lets every such operation on a table fail, before or after it has changed its row. */
  failing(when: 'BEFORE' | 'AFTER', operation: 'INSERT' | 'UPDATE' | 'DELETE', table: string): string;
  /** SQL that takes that back. */
  mended(table: string): string;
}

/** @param folder is gone after the test */
export type CreateDatabase = (folder: string) => Promise<TestDatabase>;

/** The same suite on every database that the application runs on. */
export async function describeOnEachDatabase(name: string, suite: (create: CreateDatabase) => void): Promise<void> {
  describe(`${name}, on SQLite`, () => suite(createSqlite));
  await describeOnPostgres(`${name}, on PostgreSQL`, suite);
}

export function describeOnPostgres(name: string, suite: (create: CreateDatabase) => void): Promise<void> {
  return describeWithPostgres(name, (url) => suite((folder) => createSchema(url(), folder)));
}

export async function createSqlite(folder: string): Promise<TestDatabase> {
  const databaseFile = join(folder, 'auction.db');
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

/** A schema stands for a database of its own: it is made in a hundredth of the time, and goes with the database that it is in. */
export async function createSchema(url: string, folder: string): Promise<TestDatabase> {
  const schema = `test_${randomBytes(6).toString('hex')}`;
  await query(url, `CREATE SCHEMA ${schema}`);
  const inSchema = new URL(url);
  inSchema.searchParams.set('options', `-csearch_path=${schema}`);
  const databaseUrl = inSchema.href;
  return {
    settings: { databaseUrl, databaseFile: join(folder, 'unused.db') },
    sql: (text) => query(databaseUrl, text),
    failing: (when, operation, table) => `
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
      CREATE TRIGGER fail ${when} ${operation} ON ${table} FOR EACH ROW EXECUTE FUNCTION fail()`,
    mended: (table) => `DROP TRIGGER fail ON ${table}`,
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
