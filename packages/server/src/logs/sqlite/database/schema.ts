import { PregonError } from '@pregon/protocol';
import { FORMAT, FORMAT_TABLES, needsUpgrade, READABLE_SINCE, upgrade } from './format.js';
import { columns } from './rows.js';
import type { Database } from './sqlite-database.js';

/** 'Prgn': tells our files from those of other applications. @see https://www.sqlite.org/pragma.html#pragma_application_id */
const APPLICATION_ID = 0x5072676e;

/**
 * Offsets are given by the writer, under the write lock, as the last one plus one; the floor is kept when entries are dropped,
 * so none is used twice, and they are dense, so a count is a subtraction. `bytes` is the sum of the payloads from the log's
 * birth through this entry: the limits of a page and of retention are comparisons with it instead of sums.
 *
 * `attributes` is what `encodeAttributes` makes of an event; NULL in a row of format 1, and of a process of an older release.
 *
 * Names (of exchanges, types, sources) are stored once, as JSON texts; ids as JSON texts too. Topics hold no character that
 * needs it.
 *
 * `source.dropped` is above 0 once an entry of that source with a sequence was dropped: then the floor no longer stands for its beginning. It is
 * the highest such sequence plus 1; 1 in the files of an older release.
 *
 * The unique index over source and id is the cheapest form of "once" for ids that grow with time (UUID version 7): new keys
 * go to its end. An index over a hash of the id is smaller, but each insertion lands on another page: half as fast at 400,000
 * entries already.
 */
const SCHEMA = `
CREATE TABLE log (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  birth INTEGER NOT NULL,
  floor_offset INTEGER NOT NULL,
  floor_fingerprint INTEGER NOT NULL,
  floor_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE source (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, dropped INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE entry (
  offset INTEGER PRIMARY KEY,
  fingerprint INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  time INTEGER NOT NULL,
  exchange INTEGER NOT NULL,
  type INTEGER NOT NULL,
  source INTEGER NOT NULL,
  sequence INTEGER,
  topic TEXT NOT NULL,
  id TEXT NOT NULL,
  payload BLOB NOT NULL,
  attributes TEXT
) STRICT;
CREATE UNIQUE INDEX entry_once ON entry (source, id);
CREATE INDEX entry_sequence ON entry (source, sequence) WHERE sequence IS NOT NULL;
${FORMAT_TABLES}
`;

/**
 * How long one call of SQLite may wait for a lock, in milliseconds: it waits with the event loop stopped. Longer waits are
 * made of several calls with turns of the loop between them.
 */
const LOCK_WAIT_MS = 10;

/**
 * Makes a connection ready: write-ahead log, fsync at each commit, and the tables where the file is new. Safe where several
 * processes open a new file, or one of an older format, at once.
 *
 * @param birth the fingerprint of the log's birth, should it be born here
 * @throws PregonError CONFIG_INVALID where the file is something else; the driver's error where it is locked or cannot be read
 */
export function prepareSchema(database: Database, path: string, birth: number): void {
  database.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
  const born = isLog(database, path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('journal_size_limit = 67108864');
  if (born) {
    if (needsUpgrade(database)) upgrade(database);
    return;
  }
  database.transaction(() => {
    if (isLog(database, path)) return;
    database.exec(SCHEMA);
    database.prepare('INSERT INTO log VALUES (1, ?, 0, ?, 0)').run([birth, birth]);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${READABLE_SINCE};`);
  });
}

/** True where the file is a log, false where it is new. One statement, so that it sees one moment. */
function isLog(database: Database, path: string): boolean {
  const row = database
    .prepare(
      `SELECT (SELECT application_id FROM pragma_application_id) AS application,
              (SELECT user_version FROM pragma_user_version) AS version,
              (SELECT count(*) FROM sqlite_schema) AS tables`,
    )
    .get([]);
  const { application, version, tables } = columns(row);
  if (application === APPLICATION_ID) {
    if (typeof version === 'number' && version >= 1 && version <= FORMAT) return true;
    const remedy = `this release reads up to format ${FORMAT}: open the file with a later release`;
    throw new PregonError('CONFIG_INVALID', `${path} has the format ${version} of another release; ${remedy}`);
  }
  if (application === 0 && tables === 0) return false;
  throw new PregonError('CONFIG_INVALID', `${path} is a SQLite file of another application, not a log`);
}
