import { spawnSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';
import { numbered } from '../../../../test/support/log/events.js';
import { idOf, Recorder, readAll } from '../../../../test/support/log/recorder.js';
import { type RunningProcess, startProcess } from '../../../../test/support/processes.js';
import { openSqliteLog } from '../../src/logs/sqlite/sqlite-log.js';

const APPEND = fileURLToPath(new URL('../../../../test/support/log/append.mjs', import.meta.url));
const FOLLOW = fileURLToPath(new URL('../../../../test/support/log/follow.mjs', import.meta.url));

function startAppender(path: string, source: string, count: number, group: number): RunningProcess {
  return startProcess([APPEND, path, source, String(count), String(group)]);
}

it.each([
  { name: 'all exchanges', exchanges: undefined },
  { name: 'one exchange', exchanges: ['numbers'] },
])(
  '[I-1] [I-2] two processes append concurrently, and a third follows $name: it gets all events, in one order',
  async ({ exchanges }) => {
    const path = join(temporaryFolder(), 'data', 'log.db');
    const log = await openSqliteLog(path, exchanges ? { exchanges } : {});
    const recorder = new Recorder();
    const stop = log.follow(await log.floor(), recorder);
    const appenders = ['/a', '/b'].map((source) => startAppender(path, source, 3000, 2));
    // This follower reads without a pause, so that appends fall between any two of its reads.
    const offsets: number[] = [];
    let after = 0;
    while (after < 6000) {
      const page = await log.read({ after });
      offsets.push(...page.entries.map(({ offset }) => offset));
      after = page.through.offset;
      await turn();
    }
    const exits = await Promise.all(appenders.map(({ exited }) => exited));
    expect(exits.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(2).fill({ code: 0, stderr: '' }));
    await recorder.untilCount(6000);
    await stop();
    expect(offsets).toEqual(Array.from({ length: 6000 }, (_, index) => index + 1));
    expect(recorder.entries.map(({ offset }) => offset)).toEqual(offsets);
    for (const source of ['/a', '/b']) {
      const sequences = recorder.entries.filter((entry) => entry.source === source).map(({ sequence }) => sequence);
      expect(sequences).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
    }
    expect(recorder.calls.filter((call) => !call.startsWith('appended'))).toEqual([]);
    await log.close();
  },
);

it('[I-2] the first event of an exchange is not skipped, whenever it comes during a read', async () => {
  const path = join(temporaryFolder(), 'log.db');
  const exchanges = Array.from({ length: 500 }, (_, index) => `exchange ${index + 1}`);
  const log = await openSqliteLog(path, { exchanges });
  const recorder = new Recorder();
  const stop = log.follow(await log.floor(), recorder);
  const appender = startProcess([APPEND, path, '/new', '500', '1', 'exchange']);
  await recorder.untilCount(500);
  expect((await appender.exited).code).toBe(0);
  expect(recorder.entries.map(({ exchange }) => exchange)).toEqual(exchanges);
  await stop();
  await log.close();
});

it('processes that open a new file at the same time get the same log', async () => {
  const path = join(temporaryFolder(), 'new', 'log.db');
  const appenders = ['/a', '/b', '/c', '/d'].map((source) => startAppender(path, source, 20, 1));
  const exits = await Promise.all(appenders.map(({ exited }) => exited));
  expect(exits.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(4).fill({ code: 0, stderr: '' }));
  const log = await openSqliteLog(path);
  expect(await log.info()).toMatchObject({ count: 80 });
  await log.close();
});

it('[I-10] every event that was confirmed as safe survives a kill of the appender, at any instant', async () => {
  const path = join(temporaryFolder(), 'log.db');
  for (const [round, said] of [1, 20, 75].entries()) {
    const source = `/killed/${round}`;
    const appender = startAppender(path, source, 1_000_000, 3);
    await appender.untilLines(said);
    const { stdout, signal } = await appender.kill('SIGKILL');
    expect(signal).toBe('SIGKILL');
    const safe = Number(stdout.split('\n').slice(0, -1).at(-1));
    const log = await openSqliteLog(path);
    const sequences = (await readAll(log)).filter((entry) => entry.source === source).map(({ sequence }) => sequence);
    expect(sequences.length).toBeGreaterThanOrEqual(safe);
    expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, index) => index + 1));
    await log.append([]);
    await log.close();
  }
});

it('[I-10] a full disk makes an append fail as retryable, keeps all safe events, and lets appends continue later', async () => {
  const path = join(temporaryFolder(), 'log.db');
  // The shell limits the size of files to some megabytes, in blocks of 512 or 1024 bytes.
  const limited = `ulimit -f 3000; exec "${process.execPath}" "${APPEND}" "${path}" /full 1000000 100`;
  const { stdout, stderr, status } = spawnSync('sh', ['-c', limited], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/LOG_UNAVAILABLE/);
  expect(stderr).toMatch(/retryable: true/);
  expect(stderr).toMatch(/cause.*SqliteError/);
  const safe = Number(stdout.split('\n').slice(0, -1).at(-1));
  const log = await openSqliteLog(path);
  expect((await log.info()).count).toBeGreaterThanOrEqual(safe);
  expect(await log.append([numbered(1)])).toHaveLength(1);
  await log.close();
});

it('[I-4] each process that follows a truncated file is told, and all continue with one new log', async () => {
  const path = join(temporaryFolder(), 'log.db');
  const log = await openSqliteLog(path);
  await log.append([numbered(1), numbered(2)]);
  const followers = [startProcess([FOLLOW, path]), startProcess([FOLLOW, path])];
  for (const follower of followers) await follower.until(/event-2\n/);
  truncateSync(path);
  for (const follower of followers) await follower.until(/replaced\n/);
  await log.append([numbered(3)]);
  for (const follower of followers) await follower.until(/event-3\n/);
  expect((await readAll(log)).map(idOf)).toEqual(['event-3']);
  await log.close();
});
