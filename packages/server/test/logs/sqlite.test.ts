import { existsSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PregonError } from '@pregon/protocol';
import Libsql from 'libsql';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';
import { keepCollectionsWhole } from '../../../../test/support/collections.js';
import { numbered, numberedFrom } from '../../../../test/support/log/events.js';
import { idOf, readAll } from '../../../../test/support/log/recorder.js';
import { prepareSchema } from '../../src/logs/sqlite/database/schema.js';
import { Database } from '../../src/logs/sqlite/database/sqlite-database.js';
import { openSqliteLog } from '../../src/logs/sqlite/sqlite-log.js';

keepCollectionsWhole();

const newPath = () => join(temporaryFolder(), 'log.db');

it('[I-4] a log has the same entries, points and floor after it was closed and opened', async () => {
  const path = join(temporaryFolder(), 'not', 'there', 'log.db');
  const first = await openSqliteLog(path);
  const points = await first.append(numberedFrom(1, 5));
  await first.trim({ maxCount: 3 });
  const floor = await first.floor();
  await first.close();
  const second = await openSqliteLog(path);
  expect(await second.floor()).toEqual(floor);
  expect(await second.head()).toEqual(points[4]);
  expect((await readAll(second)).map(idOf)).toEqual(['event-3', 'event-4', 'event-5']);
  expect(await second.append([numbered(4)])).toEqual([points[3]]);
  await second.close();
});

it('a log reports how much it holds', async () => {
  const path = newPath();
  const log = await openSqliteLog(path);
  const birth = await log.floor();
  expect(await log.info()).toMatchObject({ count: 0, bytes: 0, floor: birth, first: undefined, last: undefined });
  const before = Date.now();
  const points = await log.append(numberedFrom(1, 100));
  await log.trim({ maxCount: 10 });
  const info = await log.info();
  const bytes = (await readAll(log)).reduce((sum, { payload }) => sum + payload.length, 0);
  expect(info).toMatchObject({ count: 10, bytes, floor: points[89] });
  expect(info.first?.point).toEqual(points[90]);
  expect(info.last?.point).toEqual(points[99]);
  expect(info.last?.time).toBeGreaterThanOrEqual(before);
  expect(info.fileBytes).toBeGreaterThan(bytes);
  await log.close();
});

it('retention by bytes keeps as many of the newest entries as fit', async () => {
  const log = await openSqliteLog(newPath());
  await log.append(numberedFrom(1, 2000));
  const payload = (await log.read({ after: 1999 })).entries[0]?.payload.length ?? 0;
  expect(await log.trim({ maxBytes: payload * 3 + 1 })).toMatchObject({ dropped: 1997 });
  expect((await readAll(log)).map(idOf)).toEqual(['event-1998', 'event-1999', 'event-2000']);
  expect(await log.trim({ maxBytes: payload * 3 })).toMatchObject({ dropped: 0 });
  expect(await log.trim({ maxBytes: 0 })).toMatchObject({ dropped: 3 });
  expect(await log.trim({ maxBytes: 0 })).toMatchObject({ dropped: 0 });
  await log.close();
});

it('retention by age drops older entries, large ones in small steps', async () => {
  const log = await openSqliteLog(newPath());
  await log.append(numberedFrom(1, 12, { data: 'x'.repeat(900_000) }));
  expect(await log.trim({ maxAgeMs: 3_600_000 })).toMatchObject({ dropped: 0 });
  const old = (await log.info()).last?.time ?? 0;
  await expect.poll(() => Date.now() - old).toBeGreaterThan(5);
  expect(await log.trim({ maxAgeMs: 1 })).toMatchObject({ dropped: 12 });
  expect(await log.info()).toMatchObject({ count: 0, bytes: 0 });
  await log.close();
});

it('retention by age drops no younger entry, even if the clock was set back', async () => {
  const log = await openSqliteLog(newPath());
  const now = Date.now();
  const clock = vi.spyOn(Date, 'now');
  onTestFinished(() => clock.mockRestore());
  await log.append(numberedFrom(1, 5));
  clock.mockReturnValue(now - 3_600_000);
  await log.append(numberedFrom(6, 10));
  clock.mockReturnValue(now + 1_000);
  expect(await log.trim({ maxAgeMs: 60_000 })).toMatchObject({ dropped: 0 });
  await log.close();
});

// A power failure cannot be tested here; the test checks that SQLite is set to sync each commit.
it('[I-10] each commit is synced to disk, by the process that creates the log and by one that opens it', () => {
  const path = newPath();
  for (const _ of ['makes', 'finds']) {
    const database = new Database(path);
    prepareSchema(database, path, 1);
    const FULL = 2;
    expect([database.pragma('journal_mode'), database.pragma('synchronous')]).toEqual(['wal', FULL]);
    database.close();
  }
});

it('retention is applied in the background, after appends', async () => {
  const log = await openSqliteLog(newPath(), { retention: { maxCount: 100 } });
  await log.append(numberedFrom(1, 3000));
  await expect.poll(async () => (await log.info()).count, { timeout: 60_000 }).toBe(100);
  expect((await readAll(log)).map(idOf)).toEqual(numberedFrom(2901, 3000).map(({ id }) => id));
  await log.close();
});

it('retention is also applied by a process that only follows', async () => {
  const path = newPath();
  const appender = await openSqliteLog(path, { retention: {} });
  const follower = await openSqliteLog(path, { retention: { maxCount: 100 } });
  const stop = follower.follow(await follower.head(), {
    appended() {},
    replaced() {},
    unavailable() {},
    available() {},
  });
  await appender.append(numberedFrom(1, 3000));
  await expect.poll(async () => (await appender.info()).count, { timeout: 60_000 }).toBe(100);
  await stop();
  await Promise.all([appender.close(), follower.close()]);
});

it('[I-10] a concurrent VACUUM makes the file smaller, and loses nothing', async () => {
  const path = newPath();
  const [log, other] = [await openSqliteLog(path), await openSqliteLog(path)];
  await log.append(numberedFrom(1, 3000, { data: 'x'.repeat(500) }));
  await log.trim({ maxCount: 10 });
  const operator = new Libsql(path);
  operator.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const before = statSync(path).size;
  operator.exec('VACUUM');
  operator.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  operator.close();
  expect(statSync(path).size).toBeLessThan(before);
  await other.append(numberedFrom(3001, 3005));
  await log.append(numberedFrom(3006, 3010));
  for (const handle of [log, other]) expect(await readAll(handle)).toHaveLength(20);
  await Promise.all([log.close(), other.close()]);
  const again = await openSqliteLog(path);
  expect((await readAll(again)).map(idOf).at(-1)).toBe('event-3010');
  expect(await readAll(again)).toHaveLength(20);
  await again.close();
});

it('an invalid limit is refused', async () => {
  await expect(openSqliteLog(newPath(), { retention: { maxCount: -1 } })).rejects.toThrow(RangeError);
  const log = await openSqliteLog(newPath());
  await expect(log.trim({ maxBytes: 1.5 })).rejects.toThrow(RangeError);
  await log.close();
});

it('an append waits while another process writes, and fails if that takes too long', async () => {
  const path = newPath();
  const log = await openSqliteLog(path, { busyTimeoutMs: 60 });
  const other = new Libsql(path);
  other.exec('BEGIN IMMEDIATE');
  const refused = await log.append([numbered(1)]).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'LOG_UNAVAILABLE', retryable: true, cause: { code: 'SQLITE_BUSY' } });
  const waiting = log.append([numbered(2)]);
  setImmediate(() => other.exec('COMMIT'));
  expect(await waiting).toHaveLength(1);
  expect((await readAll(log)).map(idOf)).toEqual(['event-2']);
  other.close();
  await log.close();
});

it('a file that is not a log is refused by name and not changed', async () => {
  const folder = temporaryFolder();
  const text = join(folder, 'text.db');
  writeFileSync(text, 'not a database, but long enough to look like one '.repeat(100));
  await expect(openSqliteLog(text)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: /text\.db/ });
  const foreign = join(folder, 'foreign.db');
  const database = new Libsql(foreign);
  database.exec('CREATE TABLE users (id INTEGER)');
  database.close();
  await expect(openSqliteLog(foreign)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: /another application/,
  });
  const again = new Libsql(foreign);
  expect(again.prepare('SELECT count(*) AS n FROM sqlite_schema').get()).toMatchObject({ n: 1 });
  expect(again.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'delete' });
  again.close();
  await expect(openSqliteLog(folder)).rejects.toBeInstanceOf(PregonError);
});

it.runIf(existsSync('/proc/self/fd'))('close leaves no file handle, no socket and no file beside the log', async () => {
  const folder = temporaryFolder();
  const log = await openSqliteLog(join(folder, 'log.db'));
  log.follow(await log.head(), { appended() {}, replaced() {}, unavailable() {}, available() {} });
  await log.append(numberedFrom(1, 2000));
  await log.close();
  const open = () =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      const link = join('/proc/self/fd', fd);
      return existsSync(link) ? [readlinkSync(link)] : [];
    });
  // The driver releases the handles in a separate turn after the collection.
  await expect.poll(() => open().filter((file) => file.startsWith(folder))).toEqual([]);
  expect(readdirSync(folder)).toEqual(['log.db']);
});
