import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { numbered } from '../../../../test/support/log/events.js';
import { copyFormat1 } from '../../../../test/support/log/old-formats.js';
import { idOf, parsePayload, readAll } from '../../../../test/support/log/recorder.js';
import { startProcess } from '../../../../test/support/processes.js';
import type { Log } from '../../src/core/ports/log.js';
import { openSqliteLog } from '../../src/logs/sqlite/sqlite-log.js';

const APPEND = fileURLToPath(new URL('../../../../test/support/log/append.mjs', import.meta.url));
const HALF_UPGRADE = fileURLToPath(new URL('../../../../test/support/log/half-upgrade.mjs', import.meta.url));

/** A connection as in a process of format 1, which continues to use it after the upgrade. */
const INSERT_OF_FORMAT_1 = `INSERT INTO entry
  (offset, fingerprint, bytes, time, exchange, type, source, sequence, topic, id, payload)
  SELECT offset + 1, ?, bytes + length(?), time, exchange, type, source, NULL, topic, ?, ? FROM entry ORDER BY offset DESC LIMIT 1`;

/** The retained events of the fixture. */
const RETAINED = ['event-3', 'event-4', 'event-5', 'event-6', 'event-7', 'event-8'];

async function open(path: string): Promise<Log> {
  const log = await openSqliteLog(path);
  afterTest(() => log.close());
  return log;
}

/** A connection of another process. */
function openRaw(path: string): Libsql.Database {
  const database = new Libsql(path);
  afterTest(() => database.close());
  return database;
}

/** The first column of all rows. */
function valuesOf(database: Libsql.Database, sql: string): unknown[] {
  return database
    .prepare(sql)
    .raw(true)
    .all()
    .map((row) => (Array.isArray(row) ? row[0] : row));
}

it('[I-4] a log of format 1 is upgraded in place, with the same entries, points and floor', async () => {
  const { path, birth, floor, points, events } = copyFormat1();
  const log = await open(path);
  expect(await log.floor()).toEqual(floor);
  expect(await log.head()).toEqual(points.at(-1));
  const presences = await Promise.all([birth, ...points].map((point) => log.check(point)));
  expect(presences).toEqual(['truncated', 'truncated', ...Array(7).fill('present')]);
  expect((await readAll(log)).map(parsePayload)).toEqual(events.slice(2));
  const sequence = Number(events[4]?.sequence);
  expect(await log.locate(sequence, '/even')).toEqual(points[4]);
  // An event that the previous release stored is not stored again.
  const [again] = await log.append(events.slice(7));
  expect(again).toEqual(points[7]);
});

it('rows of format 1 take their attributes from the payload, and later rows take them from their columns', async () => {
  const { path, points, events } = copyFormat1();
  const log = await open(path);
  const added = numbered(9, { time: '2026-02-01T00:00:00Z', subject: 'number/9' });
  await log.append([added]);
  const head = await log.head();
  for (const [index, event] of [...events, added].entries()) {
    if (index < 2) continue;
    const stored = await log.detail(points[index] ?? head);
    const { id, time, subject } = event;
    const traceparent: unknown = Reflect.get(event, 'traceparent');
    expect(stored).toMatchObject({ id, time, subject, traceparent });
  }
  const rows = valuesOf(openRaw(path), 'SELECT attributes IS NULL AS old FROM entry ORDER BY offset');
  expect(rows).toEqual([1, 1, 1, 1, 1, 1, 0]);
});

it('a process of the previous release that has the file open continues to append, and its events are read', async () => {
  const { path } = copyFormat1();
  const former = openRaw(path);
  const insert = former.prepare(INSERT_OF_FORMAT_1);
  const select = former.prepare('SELECT offset, id FROM entry ORDER BY offset DESC LIMIT 1');
  expect(select.get()).toMatchObject({ offset: 8 });
  const log = await open(path);
  await log.append([numbered(9)]);
  const payload = Buffer.from(JSON.stringify(numbered(10, { subject: 'of the former release' })));
  insert.run(5, payload, '"event-10"', payload);
  expect(select.get()).toMatchObject({ offset: 10, id: '"event-10"' });
  await log.append([numbered(11)]);
  expect((await readAll(log)).map(idOf)).toEqual([...RETAINED, 'event-9', 'event-10', 'event-11']);
  expect(await log.detail({ offset: 10, fingerprint: 5 })).toMatchObject({ subject: 'of the former release' });
  // The release of format 1 opens a file if this says 1.
  expect(valuesOf(former, 'PRAGMA user_version')[0]).toBe(1);
});

it('[I-2] processes that open a log of format 1 at the same time append to one log, which is upgraded once', async () => {
  const { path } = copyFormat1();
  const sources = ['/a', '/b', '/c', '/d'];
  const appenders = sources.map((source) => startProcess([APPEND, path, source, '20', '1']));
  const exits = await Promise.all(appenders.map(({ exited }) => exited));
  expect(exits.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(4).fill({ code: 0, stderr: '' }));
  const log = await open(path);
  const ids = (await readAll(log)).map(idOf);
  expect(ids.slice(0, 6)).toEqual(RETAINED);
  expect(ids).toHaveLength(86);
  const columns = valuesOf(openRaw(path), "SELECT name FROM pragma_table_info('entry')");
  expect(columns.filter((name) => name === 'attributes')).toHaveLength(1);
});

it('[I-2] a process that is killed during the upgrade leaves a log of format 1, which the next process upgrades', async () => {
  const { path } = copyFormat1();
  const upgrading = startProcess([HALF_UPGRADE, path]);
  await upgrading.untilLines(1);
  expect((await upgrading.kill('SIGKILL')).stdout).toBe('done\n');
  const raw = openRaw(path);
  expect(valuesOf(raw, "SELECT count(*) FROM sqlite_schema WHERE name = 'format'")[0]).toBe(0);
  const log = await open(path);
  expect((await readAll(log)).map(idOf)).toEqual(RETAINED);
  expect(valuesOf(raw, 'SELECT version FROM format')[0]).toBe(3);
  expect(valuesOf(raw, 'PRAGMA integrity_check')[0]).toBe('ok');
});

it('a log of a later format is read and written if that format is compatible with this one', async () => {
  const { path } = copyFormat1();
  await (await openSqliteLog(path)).close();
  const later = new Libsql(path);
  later.exec(`ALTER TABLE entry ADD COLUMN partition TEXT DEFAULT 'p'; CREATE TABLE invented (a TEXT) STRICT;
    UPDATE format SET version = 7; PRAGMA user_version = 2;`);
  later.close();
  const log = await open(path);
  const [point] = await log.append([numbered(9, { subject: 'number/9' })]);
  expect((await readAll(log)).map(idOf)).toEqual([...RETAINED, 'event-9']);
  expect(point && (await log.detail(point))).toMatchObject({ subject: 'number/9' });
  const raw = openRaw(path);
  expect(valuesOf(raw, 'SELECT version FROM format')[0]).toBe(7);
  expect(valuesOf(raw, 'SELECT partition FROM entry WHERE offset = 9')[0]).toBe('p');
});

it('a log of a later format that this release cannot read is refused with a remedy', async () => {
  const { path } = copyFormat1();
  const later = new Libsql(path);
  later.exec('PRAGMA user_version = 4');
  later.close();
  const refused = openSqliteLog(path);
  await expect(refused).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('later release'),
  });
});
