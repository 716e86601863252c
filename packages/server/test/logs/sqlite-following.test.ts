import { existsSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';
import { numbered, numberedFrom } from '../../../../test/support/log/events.js';
import { Recorder } from '../../../../test/support/log/recorder.js';
import { startProcess } from '../../../../test/support/processes.js';
import { openSqliteLog, type SqliteLog, type SqliteLogOptions } from '../../src/logs/sqlite/sqlite-log.js';

const FOLLOW = fileURLToPath(new URL('../../../../test/support/log/follow.mjs', import.meta.url));
const NO_POLLING = { pollIntervalMs: 60_000 };

async function recorded(path: string, options?: SqliteLogOptions) {
  const log = await openSqliteLog(path, options);
  const recorder = new Recorder();
  log.follow(await log.head(), recorder);
  return { log, recorder };
}

/** A log with these events, closed, so that it consists of one file. */
async function write(path: string, from: number, to: number): Promise<void> {
  const log = await openSqliteLog(path);
  await log.append(numberedFrom(from, to));
  await log.close();
}

async function untilListening(path: string, count: number): Promise<void> {
  const folder = `${path}-nudge`;
  const deadline = performance.now() + 10_000;
  while (!existsSync(folder) || readdirSync(folder).filter((name) => name.endsWith('.sock')).length < count) {
    if (performance.now() > deadline) throw new Error('no follower listens');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function closeAll(...logs: SqliteLog[]): Promise<void> {
  for (const log of logs) await log.close();
}

/** The minimum time of the first page, in milliseconds. */
async function firstPage(events: number): Promise<number> {
  const log = await openSqliteLog(join(temporaryFolder(), 'log.db'), NO_POLLING);
  const floor = await log.floor();
  const data = 'x'.repeat(1_000);
  for (let n = 1; n <= events; n += 1_000) await log.append(numberedFrom(n, n + 999, { data }));
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    const recorder = new Recorder();
    const began = performance.now();
    const stop = log.follow(floor, recorder);
    await recorder.untilCount(1);
    times.push(performance.now() - began);
    await stop();
  }
  await log.close();
  return Math.min(...times);
}

describe('a follower that is far behind', () => {
  it('[I-8] gets a page in the time of one page, however many follow', async () => {
    const [few, many] = [await firstPage(1_000), await firstPage(50_000)];
    expect(many / few).toBeLessThan(10);
  });
});

describe('nudges', () => {
  it('tell a follower at once, without polling', async () => {
    const path = join(temporaryFolder(), 'log.db');
    const { log, recorder } = await recorded(path, NO_POLLING);
    await untilListening(path, 1);
    const appender = await openSqliteLog(path);
    const latencies: number[] = [];
    for (let n = 1; n <= 50; n++) {
      await appender.append([numbered(n)]);
      const safe = performance.now();
      await recorder.untilCount(n);
      latencies.push(performance.now() - safe);
    }
    latencies.sort((a, b) => a - b);
    expect(latencies[25]).toBeLessThan(1_000);
    await closeAll(appender, log);
  });

  it('reach followers of a file whose path is longer than a socket address', async () => {
    const path = join(temporaryFolder(), 'a'.repeat(120), 'log.db');
    const { log, recorder } = await recorded(path, NO_POLLING);
    const appender = await openSqliteLog(path);
    for (let n = 1; recorder.calls.length < 2; n++) {
      await appender.append([numbered(n)]);
      await recorder.untilCount(n);
    }
    expect(readdirSync(join(path, '..')).filter((name) => name.includes('nudge'))).toEqual([]);
    await closeAll(appender, log);
  });

  it('[I-2] that are lost cost a poll, not an event', async () => {
    const path = join(temporaryFolder(), 'log.db');
    const { log, recorder } = await recorded(path, { pollIntervalMs: 20 });
    await untilListening(path, 1);
    rmSync(`${path}-nudge`, { recursive: true });
    const appender = await openSqliteLog(path);
    await appender.append(numberedFrom(1, 5));
    await recorder.untilCount(5);
    await closeAll(appender, log);
  });

  it('[I-2] that cannot be received or sent cause one warning, and polling replaces them', async () => {
    const path = join(temporaryFolder(), 'log.db');
    writeFileSync(`${path}-nudge`, 'in the place of the folder');
    const warnings: string[] = [];
    const options = { pollIntervalMs: 20, onWarning: ({ message }: Error) => void warnings.push(message) };
    const { log, recorder } = await recorded(path, options);
    const appender = await openSqliteLog(path, options);
    for (let n = 1; n <= 3; n++) await appender.append([numbered(n)]);
    await recorder.untilCount(3);
    expect(warnings.sort()).toEqual([
      expect.stringMatching(/^nudges cannot be received/),
      expect.stringMatching(/^nudges cannot be sent/),
    ]);
    await closeAll(appender, log);
  });

  it('leave no socket behind: a process removes its own on close; the next append removes those of killed processes', async () => {
    const path = join(temporaryFolder(), 'log.db');
    const { log } = await recorded(path);
    const killed = startProcess([FOLLOW, path]);
    await killed.until(/following/);
    await untilListening(path, 2);
    await killed.kill('SIGKILL');
    const deadline = performance.now() + 10_000;
    for (let n = 1; readdirSync(`${path}-nudge`).length > 1; n++) {
      expect(performance.now()).toBeLessThan(deadline);
      await log.append([numbered(n)]);
    }
    await log.close();
    expect(existsSync(`${path}-nudge`)).toBe(false);
  });
});

describe('[I-4] a file that is followed and', () => {
  it('deleted: the follower is told, and follows the new file', async () => {
    const path = join(temporaryFolder(), 'log.db');
    const { log, recorder } = await recorded(path);
    await log.append(numberedFrom(1, 3));
    await recorder.untilCount(3);
    rmSync(path);
    const appender = await openSqliteLog(path);
    await appender.append([numbered(4)]);
    await recorder.until('event-4 or its replacement', () => recorder.calls.includes('replaced'));
    await appender.append([numbered(5)]);
    await recorder.until('event-5', () => recorder.ids.at(-1) === 'event-5');
    await closeAll(appender, log);
  });

  it('truncated to nothing: the follower is told, and every handle continues with one new log', async () => {
    const path = join(temporaryFolder(), 'log.db');
    const { log, recorder } = await recorded(path);
    const appender = await openSqliteLog(path);
    await appender.append(numberedFrom(1, 300));
    await recorder.untilCount(300);
    truncateSync(path);
    await recorder.until('replaced', () => recorder.calls.includes('replaced'));
    const [point] = await appender.append([numbered(1)]);
    expect(await log.check(point ?? { offset: 0, fingerprint: 0 })).toBe('present');
    await recorder.untilCount(301);
    expect(await log.info()).toMatchObject({ count: 1 });
    await closeAll(appender, log);
  });

  it('restored from a backup that lacks the point: the follower is told', async () => {
    const path = join(temporaryFolder(), 'log.db');
    await write(path, 1, 3);
    renameSync(path, `${path}.backup`);
    await write(path, 11, 20);
    const { log, recorder } = await recorded(path);
    renameSync(`${path}.backup`, path);
    await recorder.until('replaced', () => recorder.calls.includes('replaced'));
    await log.append([numbered(4)]);
    await recorder.untilCount(1);
    expect(recorder.heads.map(({ offset }) => offset)).toEqual([3]);
    expect((await log.read({ after: 0 })).entries).toHaveLength(4);
    await log.close();
  });

  it('unreadable for a while: the follower is told once, tries again, and misses nothing', async () => {
    const path = join(temporaryFolder(), 'log.db');
    await write(path, 1, 3);
    const { log, recorder } = await recorded(path, { pollIntervalMs: 20 });
    renameSync(path, `${path}.aside`);
    writeFileSync(`${path}.garbage`, 'not a database here '.repeat(500));
    renameSync(`${path}.garbage`, path);
    await recorder.until('an outage', () => recorder.calls.length > 0);
    await expect(log.append([numbered(9)])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await write(`${path}.aside`, 4, 6);
    renameSync(`${path}.aside`, path);
    await recorder.untilCount(3);
    expect(recorder.calls).toEqual([expect.stringMatching(/^unavailable: /), 'available', 'appended 3']);
    expect(recorder.ids).toEqual(['event-4', 'event-5', 'event-6']);
    await log.close();
  });
});

it('a process that follows a log stays alive, one that only has it open does not', async () => {
  const path = join(temporaryFolder(), 'log.db');
  const follower = startProcess([FOLLOW, path]);
  await follower.until(/following/);
  const log = await openSqliteLog(path);
  await log.append([numbered(1)]);
  await follower.until(/event-1\n/);
  const module = new URL('../../dist/logs/sqlite/sqlite-log.js', import.meta.url);
  const script = `const { openSqliteLog } = await import(${JSON.stringify(module)}); await openSqliteLog(${JSON.stringify(path)});`;
  expect(await startProcess(['--input-type=module', '-e', script]).exited).toMatchObject({ code: 0 });
  await log.close();
});
