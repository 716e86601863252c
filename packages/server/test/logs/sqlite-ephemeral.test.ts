import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';
import { type RunningProcess, startProcess } from '../../../../test/support/processes.js';
import { eventually } from '../../../../test/support/waiting.js';
import { openSqliteLog, type SqliteLog } from '../../src/logs/sqlite/sqlite-log.js';
import { join as joinLog } from '../../src/testing/ephemeral/member.js';
import { collectGarbage } from '../core/support/garbage.js';

const HEAR = fileURLToPath(new URL('../../../../test/support/log/hear.mjs', import.meta.url));

async function open(path: string, onWarning?: (error: Error) => void): Promise<SqliteLog> {
  const log = await openSqliteLog(path, onWarning ? { onWarning } : {});
  onTestFinished(() => log.close());
  return log;
}

/** A log's path, its folder of sockets, and the warnings. */
function place() {
  const path = join(temporaryFolder(), 'log.db');
  const warnings: string[] = [];
  return { path, folder: `${path}-ephemeral`, warnings, warn: ({ message }: Error) => void warnings.push(message) };
}

async function startHearing(path: string): Promise<RunningProcess> {
  const process = startProcess([HEAR, path]);
  await process.until(/^joined$/m);
  return process;
}

it('processes hear each other, and a killed one does not affect the others and leaves no socket', async () => {
  const { path, folder, warnings, warn } = place();
  const here = await joinLog(await open(path, warn));
  const [killed, stays] = [await startHearing(path), await startHearing(path)];
  here.send('1');
  await Promise.all([killed.untilLines(2), stays.untilLines(2)]);
  await killed.kill('SIGKILL');
  expect(readdirSync(folder)).toHaveLength(3);
  for (let n = 2; n <= 20; n++) here.send(String(n));
  expect((await stays.untilLines(21)).slice(1)).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 1)));
  await eventually(
    () => {
      here.send('look');
      return readdirSync(folder).length;
    },
    (count) => count === 2,
  );
  expect(warnings).toEqual([]);
});

it('a process that joins removes the sockets of killed ones, and the last one removes the folder', async () => {
  const { path, folder } = place();
  const killed = await startHearing(path);
  await killed.kill('SIGKILL');
  expect(readdirSync(folder)).toHaveLength(1);
  const log = await open(path);
  const member = await joinLog(log);
  await eventually(
    () => readdirSync(folder).length,
    (count) => count === 1,
  );
  await member.leave();
  expect(existsSync(folder)).toBe(false);
});

it('[I-7][I-8] a stopped process delays no other and costs bounded memory, and it continues in order', async () => {
  const { path, warnings, warn } = place();
  const here = await joinLog(await open(path, warn));
  const reads = await joinLog(await open(path, warn));
  const stopped = await startHearing(path);
  here.send('0 ');
  await stopped.untilLines(2);
  stopped.signal('SIGSTOP');
  const padding = 'x'.repeat(10_000);
  await collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let slowest = 0;
  for (let n = 1; n <= 10_000; n += 10) {
    const sent = performance.now();
    for (let i = n; i < n + 10; i++) here.send(`${i} ${padding}`);
    await reads.heard.count(n + 10);
    slowest = Math.max(slowest, performance.now() - sent);
  }
  // Of 100 MB, the stopped process gets only 8 MiB and what the system buffers; the rest is dropped.
  expect(here.dropped).toBeGreaterThan(8_000);
  await collectGarbage();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40_000_000);
  expect(slowest).toBeLessThan(10_000);
  expect(reads.heard.all.map((text) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 10_001 }, (_, n) => n));
  expect(warnings).toEqual([expect.stringContaining('does not read')]);

  stopped.signal('SIGCONT');
  await eventually(
    () => {
      here.send('10001 ');
      return stopped.stdoutLines.at(-1);
    },
    (last) => last === '10001',
  );
  const heard = stopped.stdoutLines.slice(1).map(Number);
  expect(heard).toEqual([...heard].sort((a, b) => a - b));
  expect(heard.length).toBeGreaterThan(100);
});

it('members of a log whose path is longer than a socket address meet in another folder', async () => {
  const path = join(temporaryFolder(), 'a'.repeat(120), 'log.db');
  const [from, to] = [await joinLog(await open(path)), await joinLog(await open(path))];
  from.send('hello');
  expect(await to.heard.count(1)).toEqual(['hello']);
  expect(readdirSync(join(path, '..')).filter((name) => name.includes('ephemeral'))).toEqual([]);
});

it('members find each other again after the folder of sockets was deleted', async () => {
  const { path, folder, warnings, warn } = place();
  const old = await joinLog(await open(path, warn));
  rmSync(folder, { recursive: true });
  const late = await joinLog(await open(path, warn));
  await eventually(
    () => {
      late.send('from late');
      return old.heard.all.length;
    },
    (count) => count > 0,
  );
  old.send('from old');
  expect(await late.heard.count(1)).toEqual(['from old']);
  expect(new Set(old.heard.all)).toEqual(new Set(['from late']));
  expect(warnings).toEqual([]);
});

const UNFIT: [name: string, make: (folder: string) => void][] = [
  ['is a file', (folder) => writeFileSync(folder, '')],
  [
    'others may write to',
    (folder) => {
      mkdirSync(folder);
      chmodSync(folder, 0o777);
    },
  ],
];

it.each(UNFIT)('[I-9] a folder that %s is not used; members do not meet, with a warning', async (_, make) => {
  const { path, folder, warnings, warn } = place();
  make(folder);
  const log = await open(path, warn);
  const [one, other] = [await joinLog(log), await joinLog(log)];
  expect(warnings).toEqual(Array(2).fill(expect.stringContaining('cannot use the folder')));
  if (statSync(folder).isDirectory()) expect(readdirSync(folder)).toEqual([]);
  one.send('to nobody');
  await one.leave();
  expect(other.heard.all).toEqual([]);
});

it('the folder of sockets is private', async () => {
  const { path, folder } = place();
  await joinLog(await open(path));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

it('[I-8] an invalid broadcast ends only the connection that it came over', async () => {
  const { path, folder, warnings, warn } = place();
  const to = await joinLog(await open(path, warn));
  const [name = ''] = readdirSync(folder);
  const from = await joinLog(await open(path, warn));
  from.send('1');
  await to.heard.count(1);
  const stranger = connect(join(folder, name));
  onTestFinished(() => void stranger.destroy());
  stranger.resume().write('GET / HTTP/1.1\r\n\r\n');
  await once(stranger, 'close');
  from.send('2');
  expect(await to.heard.count(2)).toEqual(['1', '2']);
  expect(warnings).toEqual([expect.stringContaining('not a broadcast')]);
});

it('a broadcast that comes byte by byte is read', async () => {
  const { path, folder } = place();
  const to = await joinLog(await open(path));
  const [name = ''] = readdirSync(folder);
  const slow = connect(join(folder, name));
  onTestFinished(() => void slow.destroy());
  slow.setNoDelay(true);
  for (const byte of Buffer.from('\0\0\0\x05four\n\0\0\0\0\0\0\0\x01x')) {
    await new Promise((resolve) => slow.write(Buffer.from([byte]), resolve));
  }
  expect(await to.heard.count(3)).toEqual(['four\n', '', 'x']);
});
