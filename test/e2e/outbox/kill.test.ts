import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSqliteOutbox } from '@pregon/outbox';
import { assertEvent, decodeSequence, type PregonEvent } from '@pregon/protocol';
import Database from 'libsql';
import { openLog } from 'pregon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const APPLICATION = fileURLToPath(new URL('../../support/outbox/application.mjs', import.meta.url));
const MIGRATION = fileURLToPath(new URL('../../support/outbox/migrate.mjs', import.meta.url));

let folder: string;
let db: Database.Database;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-outbox-kill-'));
});

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  db?.close();
  rmSync(folder, { recursive: true, force: true });
});

type Mode = 'write' | 'drain' | 'kill-before-commit' | 'kill-after-commit' | 'kill-after-append';

function start(mode: Mode): ChildProcess {
  const child = fork(APPLICATION, [folder, mode]);
  children.push(child);
  return child;
}

/** Runs the application until it ends by itself or kills itself. */
async function run(mode: Mode): Promise<{ code: unknown; signal: unknown }> {
  const [code, signal] = await once(start(mode), 'exit');
  return { code, signal };
}

async function startWriting(): Promise<ChildProcess> {
  const child = start('write');
  const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  expect(said).toBe('writing');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** These tests are about a kill at any instant, so the delay is random. */
function anyInstant(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
}

function openDatabase(): Database.Database {
  db?.close();
  db = new Database(join(folder, 'app.db'), { timeout: 10_000 });
  return db;
}

function texts(sql: string, column: string): string[] {
  return db
    .prepare(sql)
    .all()
    .map((row) => String(Reflect.get(Object(row), column)));
}

const committedIds = () => texts('SELECT event_id FROM committed ORDER BY n', 'event_id');
const outboxIds = () => texts(`SELECT event ->> '$.id' AS id FROM pregon_outbox ORDER BY sequence`, 'id');

async function loggedEvents(): Promise<PregonEvent[]> {
  const log = await openLog(`sqlite:${join(folder, 'log.db')}`);
  try {
    const events: PregonEvent[] = [];
    let after = (await log.floor()).offset;
    for (;;) {
      const page = await log.read({ after });
      for (const { payload } of page.entries) {
        const event: unknown = JSON.parse(new TextDecoder().decode(payload));
        assertEvent(event);
        events.push(event);
      }
      if (page.through.offset === after) return events;
      after = page.through.offset;
    }
  } finally {
    await log.close();
  }
}

async function loggedIds(): Promise<string[]> {
  return (await loggedEvents()).map((event) => event.id);
}

async function expectLogEqualsCommitted(): Promise<void> {
  expect(await run('drain')).toEqual({ code: 0, signal: null });
  const events = await loggedEvents();
  expect(events.map((event) => event.id)).toEqual(committedIds());
  expect(events.map((event) => decodeSequence(event.sequence ?? ''))).toEqual(events.map((_, i) => i + 1));
  expect(outboxIds()).toEqual([]);
}

describe('An application with an outbox on SQLite that is killed', () => {
  it('[I-5] relays exactly the committed events, in order and once, after kills at any instant', async () => {
    let notYetLogged = 0;
    let loggedAndNotRemoved = 0;
    for (let round = 0; round < 8; round++) {
      const child = await startWriting();
      await anyInstant();
      await kill(child);
      openDatabase();
      const left = outboxIds();
      const logged = new Set(await loggedIds());
      notYetLogged += left.filter((id) => !logged.has(id)).length;
      loggedAndNotRemoved += left.filter((id) => logged.has(id)).length;
    }
    // Otherwise the kills would have missed the instants that matter.
    expect(committedIds().length).toBeGreaterThan(8);
    expect(notYetLogged).toBeGreaterThan(0);
    expect(loggedAndNotRemoved).toBeGreaterThan(0);
    await expectLogEqualsCommitted();
  });

  it('[I-5] relays an event of a process that is killed right after the commit, but not right before it', async () => {
    for (const mode of [
      'kill-before-commit',
      'kill-after-commit',
      'kill-before-commit',
      'kill-after-commit',
    ] as const) {
      expect(await run(mode)).toMatchObject({ signal: 'SIGKILL' });
    }
    openDatabase();
    expect(committedIds()).toHaveLength(2);
    await expectLogEqualsCommitted();
  });

  it('[I-3] stores once the events that it had appended but not removed when it was killed', async () => {
    expect(await run('kill-after-append')).toMatchObject({ signal: 'SIGKILL' });
    openDatabase();
    expect(await loggedIds()).toEqual(committedIds());
    expect(outboxIds()).toEqual(committedIds());
    expect(committedIds()).toHaveLength(5);
    await expectLogEqualsCommitted();
  });

  it('[I-1] [I-3] [I-5] keeps order and numbers if two processes write and relay, and are killed in turn', async () => {
    let survivor = await startWriting();
    for (let round = 0; round < 4; round++) {
      const other = await startWriting();
      await anyInstant();
      await kill(survivor);
      survivor = other;
    }
    await kill(survivor);
    openDatabase();
    await expectLogEqualsCommitted();
  });
});

describe('Several processes that start at once', () => {
  it('create the outbox tables without disturbing one another', async () => {
    openDatabase().exec('PRAGMA journal_mode = WAL');
    const started = Array.from({ length: 4 }, () => fork(MIGRATION, [folder, '30']));
    children.push(...started);
    const exits = await Promise.all(started.map((child) => once(child, 'exit')));
    expect(exits).toEqual(started.map(() => [0, null]));
    // Each outbox table comes with those for rows that are set aside and for revocations.
    expect(texts(`SELECT name FROM sqlite_schema WHERE name LIKE 'outbox%'`, 'name')).toHaveLength(3 * 30);
  });
});

describe('A snapshot while another process writes', () => {
  it('[I-6] equals the table together with the events after its sequence, every time', async () => {
    const child = await startWriting();
    openDatabase();
    const outbox = createSqliteOutbox({ source: '/items' });
    const snapshots = new Map<number, readonly unknown[]>();
    while (snapshots.size < 100) {
      const { rows, sequence } = outbox.snapshot(db, () => db.prepare('SELECT key, value FROM items').all());
      snapshots.set(sequence, rows);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await kill(child);
    await expectLogEqualsCommitted();
    const events = await loggedEvents();
    const table = replay(db.prepare('SELECT key, value FROM items').all(), []);
    for (const [sequence, rows] of snapshots) {
      expect(replay([], events.slice(0, sequence))).toEqual(replay(rows, []));
      expect(replay(rows, events.slice(sequence))).toEqual(table);
    }
  });
});

/** The items that result from the rows and the events after them. */
function replay(rows: readonly unknown[], events: readonly PregonEvent[]): Map<unknown, unknown> {
  const items = new Map<unknown, unknown>();
  for (const row of rows) items.set(Reflect.get(Object(row), 'key'), Reflect.get(Object(row), 'value'));
  for (const { type, data } of events) {
    const key = Reflect.get(Object(data), 'key');
    if (type === 'ItemWasDeleted') items.delete(key);
    else items.set(key, Reflect.get(Object(data), 'value'));
  }
  return items;
}
