import { assertPostgresTableName, postgresSchema } from './postgres/schema.js';

export type SqlDialect = 'sqlite' | 'postgres';

export const DEFAULT_TABLE = 'pregon_outbox';

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** @throws TypeError if it is not a plain name: the name becomes part of the SQL text */
export function assertTableName(dialect: SqlDialect, table: string): void {
  if (dialect === 'postgres') assertPostgresTableName(table);
  else if (!NAME.test(table) || /^sqlite_/i.test(table)) {
    throw new TypeError(`not a table name of letters, digits and underscores: ${JSON.stringify(table)}`);
  }
}

/**
 * Returns the migration as text, for applications that keep their migrations in files. It may be run any number of
 * times.
 *
 * @param table the name of the table. Default: 'pregon_outbox'
 * @throws TypeError if the dialect is unknown or the table name is invalid
 * @example
 * await writeFile('migrations/001-outbox.sql', sql('postgres'));
 */
export function sql(dialect: SqlDialect, table: string = DEFAULT_TABLE): string {
  if (dialect !== 'sqlite' && dialect !== 'postgres') {
    throw new TypeError(`unknown dialect ${JSON.stringify(dialect)}: use 'sqlite' or 'postgres'`);
  }
  assertTableName(dialect, table);
  return dialect === 'sqlite' ? sqliteSchema(table) : postgresSchema(table);
}

function sqliteSchema(table: string): string {
  // AUTOINCREMENT instead of a plain rowid: otherwise SQLite would reuse the number of a relayed, removed row. `bytes`
  // comes before `event` so that reading sizes does not touch the overflow pages of long events.
  return `CREATE TABLE IF NOT EXISTS ${table} (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- the number of the event at its source, never used twice
  written_at INTEGER NOT NULL, -- milliseconds since the epoch
  bytes INTEGER NOT NULL, -- UTF-8 bytes of the event, including its sequence
  event TEXT NOT NULL -- CloudEvents 1.0 JSON, without its sequence
);
${sqliteStuckSchema(table)}CREATE TABLE IF NOT EXISTS ${sqliteRevokedTable(table)} (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of the revocations
  revocation TEXT NOT NULL -- JSON
);
`;
}

/**
 * The table of the rows that a relay sets aside. It is part of the migration; after an older migration, the relay
 * creates it.
 */
export function sqliteStuckSchema(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${sqliteStuckTable(table)} (
  sequence INTEGER PRIMARY KEY, -- the number that the event had
  id TEXT, -- of the event, if it has one
  code TEXT NOT NULL, -- the error code of the refusal
  reason TEXT NOT NULL,
  written_at INTEGER NOT NULL, -- milliseconds since the epoch
  stuck_at INTEGER NOT NULL, -- milliseconds since the epoch
  event TEXT NOT NULL
);
`;
}

/** The table of the revocations on their way to the log. */
export function sqliteRevokedTable(table: string): string {
  return `${table}_revoked`;
}

export function sqliteStuckTable(table: string): string {
  return `${table}_stuck`;
}
