import type { Transaction } from './connections.js';

/**
 * `id` is compared by its bytes, as in SQLite, whatever the language of the database. Sequences are per database, so
 * the source of the events contains the id of the database: another database on the same log, or a recreated one, is
 * another source.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id         text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS users_app (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id  uuid NOT NULL DEFAULT gen_random_uuid()
  );
  INSERT INTO users_app DEFAULT VALUES ON CONFLICT DO NOTHING;
`;

/**
 * Creates missing tables. Any number of processes may do so at once.
 *
 * @returns the unique id of this database
 */
export async function migrate(transaction: Transaction): Promise<string> {
  // IF NOT EXISTS fails if another process creates the same table at that moment.
  await transaction.query("SELECT pg_advisory_xact_lock(hashtext('users_app'))");
  await transaction.query(SCHEMA);
  const { rows } = await transaction.query<{ id: string }>('SELECT id::text AS id FROM users_app');
  const [row] = rows;
  if (row === undefined) throw new TypeError('the table users_app has no row');
  return row.id;
}
