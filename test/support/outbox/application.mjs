// An application with an outbox, in a process that a test may kill: application.mjs <folder> <mode>
import { createSqliteOutbox } from '@pregon/outbox';
import Database from 'libsql';
import { openLog } from 'pregon';

const [folder, mode] = process.argv.slice(2);

const db = new Database(`${folder}/app.db`, { timeout: 10_000 });
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
db.exec('CREATE TABLE IF NOT EXISTS items (key INTEGER PRIMARY KEY, value INTEGER NOT NULL)');
// All committed events in the order of their commits, which the log must hold in the end.
db.exec('CREATE TABLE IF NOT EXISTS committed (n INTEGER PRIMARY KEY, event_id TEXT NOT NULL)');
const outbox = createSqliteOutbox({ source: '/items' });
outbox.migrate(db);

const log = await openLog(`sqlite:${folder}/log.db`);
const relay = outbox.relay({
  db,
  log: mode === 'kill-after-append' ? dyingLog() : log,
  batchSize: 20,
  pollIntervalMs: 10,
});

const saveItem = db.prepare(
  'INSERT INTO items (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
);
const deleteItem = db.prepare('DELETE FROM items WHERE key = ?');
const note = db.prepare('INSERT INTO committed (event_id) VALUES (?)');

const modes = {
  write,
  drain,
  'kill-before-commit': killBeforeCommit,
  'kill-after-commit': killAfterCommit,
  'kill-after-append': killAfterAppend,
};
await modes[mode]();

/** Writes and relays until it is killed. */
async function write() {
  relay.start();
  for (let count = 1; ; count++) {
    db.exec('BEGIN IMMEDIATE');
    for (let i = Math.ceil(Math.random() * 3); i > 0; i--) change();
    db.exec(Math.random() < 0.3 ? 'ROLLBACK' : 'COMMIT');
    if (count === 1) process.send('writing');
    if (Math.random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Relays the remaining events, and ends. */
async function drain() {
  relay.start();
  while (relay.pending() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await relay.stop();
  await log.close();
  db.close();
  process.disconnect();
}

function killBeforeCommit() {
  db.exec('BEGIN IMMEDIATE');
  change();
  die();
}

function killAfterCommit() {
  relay.start();
  db.exec('BEGIN IMMEDIATE');
  change();
  db.exec('COMMIT');
  die();
}

async function killAfterAppend() {
  db.exec('BEGIN IMMEDIATE');
  for (let i = 0; i < 5; i++) change();
  db.exec('COMMIT');
  relay.start();
}

function dyingLog() {
  return {
    async append(events) {
      await log.append(events);
      die();
    },
  };
}

function change() {
  const key = Math.floor(Math.random() * 20);
  const value = Math.floor(Math.random() * 1_000_000);
  const isDeletion = Math.random() < 0.3;
  if (isDeletion) deleteItem.run(key);
  else saveItem.run(key, value);
  const type = isDeletion ? 'ItemWasDeleted' : 'ItemWasSaved';
  const { id } = outbox.add(db, {
    exchange: 'items',
    topic: `item.${key}`,
    type,
    data: isDeletion ? { key } : { key, value },
  });
  note.run(id);
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}
