import { assertPostgresTableName, postgresSchema } from './postgres/schema.js';

export type SqlDialect = 'sqlite' | 'postgres';

export const DEFAULT_TABLE = 'pregon_outbox';

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** @throws TypeError where it is no plain name: it is written into SQL as it is. */
export function assertTableName(dialect: SqlDialect, table: string): void {
  if (dialect === 'postgres') assertPostgresTableName(table);
  else if (!NAME.test(table) || /^sqlite_/i.test(table)) {
    throw new TypeError(`not a table name of letters, digits and underscores: ${JSON.stringify(table)}`);
  }
}

/**
 * The migration as text, for those who keep their migrations in files. It may be run any number of times.
 *
 * @param table @default 'pregon_outbox'
 * @throws TypeError for a dialect or a table name that is none
 */
export function sql(dialect: SqlDialect, table: string = DEFAULT_TABLE): string {
  if (dialect !== 'sqlite' && dialect !== 'postgres') {
    throw new TypeError(`no dialect ${JSON.stringify(dialect)}; there are: sqlite, postgres`);
  }
  assertTableName(dialect, table);
  return dialect === 'sqlite' ? sqliteSchema(table) : postgresSchema(table);
}

function sqliteSchema(table: string): string {
  // AUTOINCREMENT, not a bare rowid: SQLite would use the number of a relayed row, which is gone, a second time.
  // `bytes` stands before `event` so that sizes are read without touching the pages that long events overflow to.
  return `CREATE TABLE IF NOT EXISTS ${table} (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- the number of the event at its source, never used twice
  written_at INTEGER NOT NULL, -- milliseconds since the epoch
  bytes INTEGER NOT NULL, -- UTF-8 bytes of the event, its sequence included
  event TEXT NOT NULL -- CloudEvents 1.0 JSON, without its sequence
);
${sqliteStuckSchema(table)}`;
}

/** The table in which a relay sets rows aside. It is part of the migration; after an older migration, the relay creates it itself. */
export function sqliteStuckSchema(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${sqliteStuckTable(table)} (
  sequence INTEGER PRIMARY KEY, -- the number that the event had
  id TEXT, -- of the event, if it has one
  code TEXT NOT NULL, -- why the log can never take it
  reason TEXT NOT NULL,
  written_at INTEGER NOT NULL, -- milliseconds since the epoch
  stuck_at INTEGER NOT NULL, -- milliseconds since the epoch
  event TEXT NOT NULL
);
`;
}

export function sqliteStuckTable(table: string): string {
  return `${table}_stuck`;
}
