import { randomBytes } from 'node:crypto';
import { columns } from './rows.js';
import type { Database } from './sqlite-database.js';

/** Reads the secret of the log, or creates it at the first opening. Only processes that can open this file know it. */
export function readSecret(database: Database): string {
  const known = find(database);
  if (known !== undefined) return known;
  return database.transaction(() => {
    database.exec(
      'CREATE TABLE IF NOT EXISTS secret (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL) STRICT',
    );
    const text = randomBytes(32).toString('base64url');
    database.prepare('INSERT INTO secret VALUES (1, ?) ON CONFLICT DO NOTHING').run([text]);
    return find(database) ?? text;
  });
}

function find(database: Database): string | undefined {
  const there = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'secret'").get([]);
  if (columns(there)['count'] === 0) return undefined;
  const row = database.prepare('SELECT text FROM secret').get([]);
  return row === undefined ? undefined : String(columns(row)['text']);
}
