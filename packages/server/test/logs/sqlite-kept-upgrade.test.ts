import Libsql from 'libsql';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { copyFormat2 } from '../../../../test/support/log/old-formats.js';
import type { KeptChanges, KeptState } from '../../src/core/ports/kept.js';
import { openSqliteLog } from '../../src/logs/sqlite/sqlite-log.js';

/** The SQL with which the release of format 2 puts a value. */
const PUT_OF_FORMAT_2 = `INSERT INTO kept (key, value, expires) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires`;

const HOSTILE = 'line\nbreak, \0 and \ud800';
const LATE = 4_102_444_800_000;

async function open(path: string) {
  const log = await openSqliteLog(path);
  afterTest(() => log.close());
  return log;
}

/** A process of format 2 that has the file open. */
function openFormer(path: string) {
  const database = new Libsql(path);
  afterTest(() => database.close());
  const put = database.prepare(PUT_OF_FORMAT_2);
  const remove = database.prepare('DELETE FROM kept WHERE key = ?');
  const removeExpired = database.prepare('DELETE FROM kept WHERE expires <= ?');
  const next = database.prepare('UPDATE kept_revision SET revision = revision + 1');
  const all = database.prepare('SELECT key FROM kept').raw(true);
  const transaction = (work: () => void) => {
    database.exec('BEGIN IMMEDIATE');
    work();
    next.run();
    database.exec('COMMIT');
  };
  return {
    database,
    put: (key: string, value: string, now = Date.now()) =>
      transaction(() => {
        removeExpired.run(now);
        put.run(JSON.stringify(key), JSON.stringify(value), null);
      }),
    delete: (key: string) => transaction(() => void remove.run(JSON.stringify(key))),
    keys: () => all.all().map((row) => JSON.parse(String(Array.isArray(row) ? row[0] : row))),
    revision: () => database.prepare('SELECT revision FROM kept_revision').raw(true).get(),
  };
}

function plain(state: KeptState) {
  return Object.fromEntries([...state].map(([key, { value }]) => [key, value]));
}

it('[I-10] a log of format 2 still has its kept values after the upgrade', async () => {
  const path = copyFormat2();
  const { kept } = await open(path);
  const all = await kept.all();
  expect(plain(all)).toEqual({ plain: 'first', [HOSTILE]: 'é', late: 'second' });
  expect(all.get('late')?.expiresAt).toBe(LATE);
});

it('[I-11] a follower is told only the keys that a process of format 2 has changed', async () => {
  const path = copyFormat2();
  const former = openFormer(path);
  expect(former.keys()).toContain('plain');
  const { kept } = await open(path);
  const told: (KeptChanges | undefined)[] = [];
  let state: Record<string, string> = {};
  await kept.follow((now, changes) => {
    state = plain(now);
    told.push(changes);
  });
  former.put('plain', 'changed');
  former.put(HOSTILE, 'by the former release');
  former.delete('late');
  await expect.poll(() => state).toEqual({ plain: 'changed', [HOSTILE]: 'by the former release' });
  expect(plain(await kept.all())).toEqual(state);
  const keys = told.slice(1).flatMap((changes) => [...(changes?.keys() ?? ['all'])]);
  expect(new Set(keys)).toEqual(new Set(['plain', HOSTILE, 'late']));
});

it('[I-11] a process of format 2 sees the changes of this release', async () => {
  const path = copyFormat2();
  const former = openFormer(path);
  const before = former.revision();
  const { kept } = await open(path);
  await kept.put('new', '1');
  expect(former.keys()).toContain('new');
  const between = former.revision();
  expect(between).not.toEqual(before);
  await kept.delete('new');
  expect(former.keys()).not.toContain('new');
  expect(former.revision()).not.toEqual(between);
});

it('[I-11] a follower that missed more changes than the file holds reads the whole set', async () => {
  const path = copyFormat2();
  const { kept } = await open(path);
  const told: (KeptChanges | undefined)[] = [];
  let state: Record<string, string> = {};
  await kept.follow((now, changes) => {
    state = plain(now);
    told.push(changes);
  });
  const { database } = openFormer(path);
  database.exec(`BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
    INSERT INTO kept SELECT '"' || (i % 20) || '"', '"' || i || '"', NULL FROM n WHERE true
    ON CONFLICT (key) DO UPDATE SET value = excluded.value;
    DELETE FROM kept WHERE key = '"late"'; COMMIT`);
  await expect.poll(() => state).toMatchObject({ '0': '12000', '19': '11999', plain: 'first' });
  expect(state).not.toHaveProperty('late');
  expect(told.slice(1)).toEqual([undefined]);
  expect(database.prepare('SELECT count(*) FROM kept_change').raw(true).get()).toEqual([10_000]);
});

it('several logs that upgrade a file of format 2 at the same time leave one file of format 3', async () => {
  const path = copyFormat2();
  const logs = await Promise.all([open(path), open(path), open(path)]);
  await Promise.all(logs.map(({ kept }, n) => kept.put(`key-${n}`, '1')));
  for (const { kept } of logs) expect((await kept.all()).size).toBe(6);
  const { database } = openFormer(path);
  expect(database.prepare('SELECT version FROM format').raw(true).get()).toEqual([3]);
  expect(database.prepare('PRAGMA integrity_check').raw(true).get()).toEqual(['ok']);
});
