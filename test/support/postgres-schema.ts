import { randomBytes } from 'node:crypto';
import pg from 'pg';

/**
 * A schema stands for an empty database of a test's own: it is made in a hundredth of the time, and goes with the database that it is
 * in.
 *
 * @returns the URL of the database with that schema before all others
 */
export async function createSchema(url: string): Promise<string> {
  const schema = `test_${randomBytes(6).toString('hex')}`;
  await runSql(url, `CREATE SCHEMA ${schema}`);
  const inSchema = new URL(url);
  inSchema.searchParams.set('options', `-csearch_path=${schema}`);
  return inSchema.href;
}

/** Runs SQL on a connection of its own. */
export async function runSql(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
