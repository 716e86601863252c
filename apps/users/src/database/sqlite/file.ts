import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';

export type Connection = Database.Database;

/**
 * Opens the application's database and brings its tables up to date.
 *
 * WAL, so that readers in other processes never wait for a write. FULL, so that a change that was answered with 201
 * survives a power cut. A busy timeout, because a user may read the file with the `sqlite3` shell at the same time.
 */
export function openFile(file: string): Connection {
  mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file);
  db.pragma('busy_timeout = 5000');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    CREATE TABLE IF NOT EXISTS users (
      id         TEXT PRIMARY KEY,
      name       TEXT NOT NULL,
      email      TEXT NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
  `);
  return db;
}

/** Closes the database with everything in one file, so that a copy of it is complete. */
export function closeFile(db: Connection): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
