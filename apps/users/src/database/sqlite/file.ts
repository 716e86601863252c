import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';

export type Connection = Database.Database;

/**
 * Opens the application's database and brings its tables up to date.
 *
 * WAL, so that readers in other processes never wait for a write; FULL, so that what was answered with 201 is there after a power
 * cut too; and a busy timeout, because somebody may well look into the file with the `sqlite3` shell.
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

/** Closes, and leaves everything in the one file, so that a copy of it is whole. */
export function closeFile(db: Connection): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
