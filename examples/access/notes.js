import { createSqliteOutbox } from '@pregon/outbox';
import Database from 'libsql';
import { ISSUER } from './tokens.js';

const PEOPLE = ['ada', 'bo'];
const MAX_TEXT = 200;
const BAN_MS = 24 * 3_600_000;

/** People and notes. Each note and its event are one transaction, and so are a ban and the end of all that it ends. */
export function openNotes(file, log) {
  const db = new Database(file, { timeout: 5_000 });
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS people (name TEXT PRIMARY KEY, banned INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL, text TEXT NOT NULL)`);
  for (const name of PEOPLE) db.prepare('INSERT OR IGNORE INTO people (name) VALUES (?)').run(name);
  const outbox = createSqliteOutbox({ source: '/notes' });
  outbox.migrate(db);
  const relay = outbox.relay({ db, log });
  relay.start();

  const isBanned = db.prepare('SELECT banned FROM people WHERE name = ?');
  const setBanned = db.prepare('UPDATE people SET banned = ? WHERE name = ?');
  const insert = db.prepare('INSERT INTO notes (reader, text) VALUES (?, ?)');

  const write = db.transaction((reader, text) => {
    const id = Number(insert.run(reader, text).lastInsertRowid);
    const topic = reader === 'everybody' ? 'note.everybody' : `note.to.${reader}`;
    outbox.add(db, { exchange: 'notes', topic, type: 'NoteWasWritten', data: { id, reader, text } });
  });

  const ban = db.transaction((name) => {
    setBanned.run(1, name);
    outbox.block(db, { iss: ISSUER, sub: name, until: Date.now() + BAN_MS });
  });

  return {
    /** Whether there is such a person, who is not banned. */
    isWelcome: (name) => PEOPLE.includes(name) && isBanned.get(name).banned === 0,
    /** Returns why the note is refused; undefined if it was written. */
    write(reader, text) {
      if (reader !== 'everybody' && !PEOPLE.includes(reader)) return 'Choose who may read the note.';
      if (typeof text !== 'string' || text.trim() === '') return 'Write a text.';
      if (text.length > MAX_TEXT) return `A note has at most ${MAX_TEXT} characters.`;
      write(reader, text.trim());
    },
    ban: (name) => ban(name),
    async close() {
      await relay.stop();
      db.close();
    },
  };
}
