// An application with an outbox on PostgreSQL, in a process that a test may kill:
//   postgres-application.mjs <url of the database> <log> <mode> <lease, ms> [<most connections>] [<answer timeout, ms>]
// The log is a SQLite file, or `parent`: then the parent process keeps the log. If the process only relays, its pool
// has no error listener, as in many programs: while its relay runs, a lost connection must not end it.
import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresOutbox } from '@pregon/outbox';
import pg from 'pg';
import { openLog } from 'pregon';

const [url, logFile, mode, leaseMs, max = '10', answerTimeoutMs = '5000'] = process.argv.slice(2);

const pool = new pg.Pool({ connectionString: url, max: Number(max) });
// A program that writes must listen to errors of the clients that it takes itself.
if (mode !== 'relay') pool.on('connect', (client) => client.on('error', () => {}));
const outbox = createPostgresOutbox({ source: '/items', answerTimeoutMs: Number(answerTimeoutMs) });
const log = logFile === 'parent' ? logOfParent() : await openLog(`sqlite:${logFile}`);
const relay = outbox.relay({
  db: pool,
  log: mode === 'kill-after-append' ? dyingLog() : log,
  batchSize: 20,
  leaseMs: Number(leaseMs),
  onError: (error) => process.send?.({ error: error.message }),
});

process.on('message', (asked) => {
  if (asked === 'state') process.send({ state: relay.state });
});

const modes = {
  write,
  relay: onlyRelay,
  snapshot: takeSnapshots,
  drain,
  'kill-before-commit': killBeforeCommit,
  'kill-after-commit': killAfterCommit,
  'kill-after-append': killAfterAppend,
};
await modes[mode]();

/** Relays, and writes with several writers at once until it is killed, whatever happens to its connections. */
async function write() {
  relay.start();
  // One writer has its own rows, so it goes on while another process is frozen and holds rows locked.
  await Promise.all([keepWriting(1_000 + process.pid * 200), keepWriting(0), keepWriting(0), keepWriting(0)]);
}

async function keepWriting(firstKey) {
  for (let count = 0; ; count++) {
    try {
      await transact(async (client) => {
        for (let i = Math.ceil(Math.random() * 3); i > 0; i--)
          await change(client, firstKey + Math.floor(Math.random() * 40) * 3 + (3 - i));
        return Math.random() < 0.7;
      });
    } catch (error) {
      process.send({ writer: error.message });
      await delay(20);
    }
    if (count === 0) process.send('writing');
  }
}

function onlyRelay() {
  relay.start();
  process.send('relaying');
}

/** Takes one snapshot after another. */
async function takeSnapshots() {
  for (;;) {
    try {
      const { sequence } = await outbox.snapshot(pool, readLargeRows);
      process.send({ snapshot: sequence });
    } catch (error) {
      process.send({ error: error.message });
    }
  }
}

async function readLargeRows(client) {
  return (await client.query("SELECT key, repeat('x', 20000) AS value FROM items")).rows;
}

/** Relays the remaining events, and ends. */
async function drain() {
  relay.start();
  while ((await relay.pending()) > 0) await delay(5);
  await relay.stop();
  await log.close();
  await pool.end();
  process.disconnect();
}

function killBeforeCommit() {
  return transact(async (client) => {
    await change(client, 1);
    die();
  });
}

async function killAfterCommit() {
  relay.start();
  await transact(async (client) => {
    await change(client, 1);
    return true;
  });
  die();
}

async function killAfterAppend() {
  await transact(async (client) => {
    for (let key = 1; key <= 5; key++) await change(client, key);
    return true;
  });
  relay.start();
}

function logOfParent() {
  const waiting = new Map();
  let count = 0;
  process.on('message', ({ appended }) => {
    waiting.get(appended)?.();
    waiting.delete(appended);
  });
  return {
    append(events) {
      const batch = count++;
      return new Promise((resolve) => {
        waiting.set(batch, resolve);
        process.send({ batch, events });
      });
    },
    close: async () => {},
  };
}

function dyingLog() {
  return {
    async append(events) {
      await log.append(events);
      die();
    },
  };
}

/** Commits if `work` returns true, and rolls back otherwise. */
async function transact(work) {
  const client = await pool.connect();
  let failure;
  try {
    await client.query('BEGIN');
    await client.query((await work(client)) ? 'COMMIT' : 'ROLLBACK');
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    client.release(failure);
  }
}

async function change(client, key) {
  const { rows } = await client.query(
    'INSERT INTO items AS i VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET version = i.version + 1 RETURNING version',
    [key],
  );
  const data = { key, version: rows[0].version };
  await outbox.add(client, { exchange: 'items', topic: `item.${key}`, type: 'ItemWasChanged', data });
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}
