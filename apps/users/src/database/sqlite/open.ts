import { basename, relative } from 'node:path';
import { createSqliteOutbox } from '@pregon/outbox';
import { SOURCE } from '../../names.js';
import { userEvents } from '../../users/events.js';
import { type Database, type DatabaseOptions, figuresOf, healthOf } from '../database.js';
import { closeFile, openFile } from './file.js';
import { countUsers, createSqliteUsers, selectUsers } from './users.js';

/** Opens the database in a local file; creates it if it is missing. */
export function openSqlite(file: string, { exchange, logError }: DatabaseOptions): Database {
  const db = openFile(file);
  const outbox = createSqliteOutbox({ source: SOURCE });
  outbox.migrate(db);
  return {
    kind: 'SQLite',
    name: shortName(file),
    users: createSqliteUsers({ db, outbox, events: userEvents(exchange) }),
    snapshotOfUsers: async () => outbox.snapshot(db, () => selectUsers(db)),
    figures: async () => figuresOf(outbox.snapshot(db, () => [countUsers(db)])),
    relay(log) {
      const relay = outbox.relay({ db, log, onError: logError });
      return { start: () => relay.start(), stop: () => relay.stop(), health: () => healthOf(relay) };
    },
    close: async () => closeFile(db),
  };
}

/** The path relative to the working directory if the file is below it, otherwise the name of the file. */
function shortName(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? basename(file) : path;
}
