import { columns, numberIn, textIn } from './rows.js';
import type { Database } from './sqlite-database.js';

/**
 * The format that this release writes:
 *
 * 1. entries with their payload, `id`, `sequence` and the columns for routing;
 * 2. the column `entry.attributes`, the tables `format`, `kept` and `kept_revision`;
 * 3. the table `kept_change`, which triggers fill, and the index `kept_expires`.
 *
 * A format only adds tables, and columns that may be NULL or have a default. Each release writes only the columns that
 * it knows, so releases of several formats can have one file open at the same time. A reader must accept rows without
 * the columns of later formats.
 */
export const FORMAT = 3;

/**
 * The oldest format whose releases can read and write files of this format; `PRAGMA user_version` of the file. A
 * release opens a file if this number is at most its own format, whatever {@link FORMAT} is in the file. It grows only
 * if a format must break the rule above.
 */
export const READABLE_SINCE = 1;

/**
 * The most changes of `kept` that the file holds. A process that missed more reads the whole set, which has no more
 * values than this.
 */
const KEPT_CHANGES = 10_000;

/**
 * `kept_change` has one row for each recent change of `kept`: its revision and its key. Triggers write the rows, so the
 * table has the changes of releases of format 2 as well. Revisions have no gaps.
 */
const CHANGES_OF_KEPT = `
CREATE TABLE kept_change (revision INTEGER PRIMARY KEY, key TEXT NOT NULL) STRICT;
CREATE INDEX kept_expires ON kept (expires);
CREATE TRIGGER kept_inserted AFTER INSERT ON kept BEGIN INSERT INTO kept_change (key) VALUES (NEW.key); END;
CREATE TRIGGER kept_updated AFTER UPDATE ON kept BEGIN INSERT INTO kept_change (key) VALUES (NEW.key); END;
CREATE TRIGGER kept_deleted AFTER DELETE ON kept BEGIN INSERT INTO kept_change (key) VALUES (OLD.key); END;
CREATE TRIGGER kept_change_limit AFTER INSERT ON kept_change
BEGIN DELETE FROM kept_change WHERE revision <= NEW.revision - ${KEPT_CHANGES}; END;
`;

/** The table `format` holds the format of the file; a file without it has format 1. `kept` holds the kept values. */
export const FORMAT_TABLES = `
CREATE TABLE format (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT;
INSERT INTO format VALUES (1, ${FORMAT});
CREATE TABLE kept (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE kept_revision (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
INSERT INTO kept_revision VALUES (1, 0);
${CHANGES_OF_KEPT}`;

/** Reads only the schema and one row, because every opening calls it. */
export function needsUpgrade(database: Database): boolean {
  return formatOf(database) < FORMAT;
}

function formatOf(database: Database): number {
  const there = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'format'").get([]);
  if (columns(there)['count'] === 0) return 1;
  return numberIn(database.prepare('SELECT version FROM format').get([]), 'version');
}

/**
 * Upgrades a file to this format, in one transaction: if the process is killed, the file stays in the former format. It
 * takes about a millisecond, whatever the log holds, because it touches no entry. The attributes that rows of format 1
 * lack are read from their payload on demand. From format 2, the index of a full `kept` takes up to 20 ms more.
 * Processes of an older release that have the file open continue to read and append.
 */
export function upgrade(database: Database): void {
  database.transaction(() => {
    // Another process may have upgraded the file while this one waited for the lock.
    const format = formatOf(database);
    if (format >= FORMAT) return;
    if (format === 1) {
      addColumn(database, 'entry', 'attributes TEXT');
      database.exec(FORMAT_TABLES);
      return;
    }
    database.exec(CHANGES_OF_KEPT);
    database.prepare('UPDATE format SET version = ?').run([FORMAT]);
  });
}

/**
 * Adds a column that may be NULL by editing the text of the schema. `ALTER TABLE ADD COLUMN` makes the same edit, but
 * first checks each row of a STRICT table while it holds the write lock. That takes 0.6 s for a million rows in memory,
 * and much more from a disk.
 *
 * @see https://www.sqlite.org/lang_altertable.html#otheralter
 * @see https://www.sqlite.org/pragma.html#pragma_writable_schema
 */
function addColumn(database: Database, table: string, column: string): void {
  const row = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?").get([table]);
  const sql = textIn(row, 'sql');
  const wider = sql.replace(/\s*\)\s*STRICT$/, `, ${column}) STRICT`);
  if (wider === sql) throw new Error(`the table ${table} does not have the schema of a log: the file may be damaged`);
  const version = Number(database.pragma('schema_version'));
  database.pragma('writable_schema = ON');
  try {
    database.prepare("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?").run([wider, table]);
    // Makes all other connections read the schema again.
    database.pragma(`schema_version = ${version + 1}`);
  } finally {
    // Makes this connection read the schema again. If SQLite cannot read the text, it fails now, and the transaction is
    // rolled back.
    database.pragma('writable_schema = RESET');
  }
}
