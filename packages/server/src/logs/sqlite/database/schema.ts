import { PregonError } from '@pregon/protocol';
import { FORMAT, FORMAT_TABLES, needsUpgrade, READABLE_SINCE, upgrade } from './format.js';
import { columns } from './rows.js';
import type { Database } from './sqlite-database.js';

/**
 * 'Prgn': distinguishes log files from the files of other applications.
 * @see https://www.sqlite.org/pragma.html#pragma_application_id
 */
const APPLICATION_ID = 0x5072676e;

/**
 * The writer assigns offsets under the write lock: the last offset plus one. The floor remains when entries are
 * dropped, so no offset is used twice, and offsets are dense, so a count is a subtraction. `bytes` is the sum of the
 * payloads from the birth of the log through this entry: page limits and retention limits become comparisons instead of
 * sums.
 *
 * `attributes` is the result of `encodeAttributes`; NULL in a row of format 1, and in a row that a process of an older
 * release wrote.
 *
 * Names (of exchanges, types, sources) are stored once, as JSON texts. Ids are JSON texts too. Topics need no JSON
 * encoding, because they cannot contain NUL or lone surrogates.
 *
 * `source.dropped` is above 0 once an entry of that source with a sequence was dropped; then the floor no longer
 * corresponds to the start of the source. It is the highest dropped sequence plus 1; files of an older release have 1.
 *
 * The unique index over source and id is the cheapest way to store each event once if ids grow with time (UUID version
 * 7): new keys go to its end. An index over a hash of the id is smaller, but each insertion touches another page: at
 * 400,000 entries it is already half as fast.
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
 * The time that one SQLite call may wait for a lock, in milliseconds: it blocks the event loop. Longer waits consist of
 * several calls with turns of the event loop between them.
 */
const LOCK_WAIT_MS = 10;

/**
 * Prepares a connection: write-ahead log, fsync at each commit, and the tables if the file is new. Several processes
 * may open a new file, or a file of an older format, at the same time.
 *
 * @param birth the fingerprint of the log's birth, used if the log is created here
 * @throws PregonError CONFIG_INVALID if the file is not a log; the driver's error if it is locked or cannot be read
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

/** Tells a log (true) from a new file (false). It uses one statement, so that all values come from the same moment. */
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
  throw new PregonError(
    'CONFIG_INVALID',
    `${path} is a SQLite file of another application, not a log: name another file`,
  );
}
