import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGateway, type LogDriver } from 'pregon';
import { describe, expect, it } from 'vitest';
// @ts-expect-error an example in JavaScript, checked by its own comments
import { files } from '../../examples/custom-log/files.js';
import { afterTest, temporaryFolder } from '../support/cleanup.js';
import { startedByReadme } from '../support/documents/example-readme.js';
import { PlainClient } from '../support/gateway/plain-client.js';
import { numbered, numberedFrom } from '../support/log/events.js';
import { idOf, readAll } from '../support/log/recorder.js';
import { startProcess } from '../support/processes.js';

const EXAMPLE = join(import.meta.dirname, '../../examples/custom-log');
const PROGRAM = ['files.js', 'event-file.js', 'kept-file.js', 'json-file.js', 'lock.js'];
const driver: LogDriver = files();

async function open(folder: string) {
  const log = await driver.open(`files:${folder}`, {});
  afterTest(() => log.close());
  return log;
}

/** Starts a process that appends events without end, and prints the number of each one once it is durable. */
function startAppending(folder: string, from: number) {
  const program = `
    import { files } from ${JSON.stringify(join(EXAMPLE, 'files.js'))};
    const log = await files().open(${JSON.stringify(`files:${folder}`)}, {});
    for (let n = ${from}; ; n += 3) {
      const events = [n, n + 1, n + 2].map((id) => ({
        specversion: '1.0', id: String(id), source: '/test', type: 'T', topic: 'a.b', exchange: 'x', data: 'x'.repeat(3_000),
      }));
      await Promise.all(events.map((event) => log.append([event]).then(() => console.log(event.id))));
    }`;
  return startProcess(['--input-type=module', '--eval', program], { cwd: EXAMPLE });
}

describe('The example custom-log', () => {
  it('has at most 300 lines, and imports only public modules', () => {
    const sources = PROGRAM.map((file) => readFileSync(join(EXAMPLE, file), 'utf8'));
    expect(sources.join('').split('\n').length).toBeLessThanOrEqual(300);
    const imported = sources.flatMap((source) => [...source.matchAll(/(?:from|import\()\s*'([^']+)'/g)]);
    const others = imported.map(([, from = '']) => from).filter((from) => !/^(node:|\.\/[\w-]+\.js$)/.test(from));
    expect(new Set(others)).toEqual(new Set(['pregon/log']));
  });

  it('compiles against the types of pregon/log and pregon/testing', () => {
    const tsc = join(EXAMPLE, '../../node_modules/.bin/tsc');
    const flags =
      '--ignoreConfig --noEmit --skipLibCheck --allowJs --checkJs --strict --module nodenext --target es2022';
    const files = [...PROGRAM, 'contract.js'];
    const { stdout, status } = spawnSync(tsc, [...flags.split(' '), '--types', 'node', ...files], {
      cwd: EXAMPLE,
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual(['', 0]);
  });

  it('passes the published contract suite with the test runner of Node.js', async () => {
    const { scripts } = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8'));
    expect(scripts.test).toBe('node --test contract.js');
    const args = ['--test', '--test-reporter=tap', 'contract.js'];
    const { code, stdout } = await startProcess(args, { cwd: EXAMPLE }).exited;
    expect(stdout.match(/^\s*not ok .*/gm) ?? []).toEqual([]);
    expect(code).toBe(0);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(60);
  });

  it('[I-1][I-10] holds every acknowledged event after kill -9, in order, each once', async () => {
    const folder = temporaryFolder();
    let next = 1;
    for (let round = 1; round <= 4; round++) {
      const appending = startAppending(folder, next);
      const acknowledged = await appending.untilLines(30 * round);
      await appending.kill('SIGKILL');
      const log = await open(folder);
      const ids = (await readAll(log)).map((entry) => Number(idOf(entry)));
      expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index + 1));
      expect(ids.length).toBeGreaterThanOrEqual(Math.max(...acknowledged.map(Number)));
      await log.close();
      next = ids.length + 1;
    }
  });

  it('[I-10] drops an incomplete last line, wherever it breaks off, and goes on', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'events.ndjson');
    const first = await open(folder);
    const [, , third] = await first.append(numberedFrom(1, 3));
    await first.close();
    const whole = readFileSync(path);
    const line = whole.subarray(whole.lastIndexOf('\n', whole.length - 2) + 1);
    for (const bytes of [1, 2, Math.floor(line.length / 2), line.length - 1]) {
      writeFileSync(path, whole);
      appendFileSync(path, line.subarray(0, bytes));
      const log = await open(folder);
      expect(await log.head()).toEqual(third);
      await log.append([numbered(4)]);
      await log.close();
      const again = await open(folder);
      expect((await readAll(again)).map(idOf)).toEqual(['event-1', 'event-2', 'event-3', 'event-4']);
      await again.close();
    }
  });

  it('[I-4] says where it is damaged, and skips nothing', async () => {
    const folder = temporaryFolder();
    const log = await open(folder);
    await log.append(numberedFrom(1, 3));
    await log.close();
    const path = join(folder, 'events.ndjson');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"event-2"', '"event-2'));
    await expect(open(folder)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await expect(open(folder)).rejects.toThrow(/events\.ndjson is damaged at byte \d+/);
  });

  it('refuses a second process, and takes over from one that was killed', async () => {
    const folder = temporaryFolder();
    const first = startAppending(folder, 1);
    await first.untilLines(1);
    const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining(`process ${first.pid} has it open`) };
    await expect(open(folder)).rejects.toMatchObject(refused);
    await first.kill('SIGKILL');
    const log = await open(folder);
    await expect(open(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const second = startAppending(folder, 1);
    expect((await second.exited).stderr).toContain('is for one process');
    await log.close();
    const [one, two] = await Promise.allSettled([open(folder), open(folder)]);
    expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(folder).filter((name) => name.startsWith('lock-'))).toHaveLength(1);
  });

  it('refuses options that it does not support, and a URL without a folder', async () => {
    expect(driver.capabilities('files:x')).toEqual({ processes: 'one', what: 'a log of flat files' });
    expect(driver.resolve?.('files:log', '/srv/app', '/srv')).toBe('files:app/log');
    expect(() => driver.assertUrl('files:')).toThrow('such as files:data/log');
    const retention = { maxCount: 10 };
    const refused = driver.open(`files:${temporaryFolder()}`, { retention });
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('[I-2] serves a gateway whose clients resume after its end', async () => {
    const log = `files:${temporaryFolder()}`;
    const start = async () => {
      const gateway = await createGateway({ log, logDrivers: [driver], routes: { events: { path: '/events' } } });
      afterTest(() => gateway.close({ spreadMs: 0 }));
      const { port } = await gateway.listen({ port: 0 });
      return { gateway, url: `ws://127.0.0.1:${port}/events` };
    };
    const first = await start();
    const client = await PlainClient.open(`${first.url}?since=first`);
    for (const event of numberedFrom(1, 5)) await first.gateway.publish(event);
    expect(await client.numbers(5)).toEqual([1, 2, 3, 4, 5]);
    await first.gateway.close({ spreadMs: 0 });
    const second = await start();
    const resumed = await PlainClient.open(`${second.url}?since=${client.events.all[2]?.position}`);
    await second.gateway.publish(numbered(6));
    expect(await resumed.numbers(3)).toEqual([4, 5, 6]);
  });

  it('runs as its README says, survives kill -9, and ends on SIGTERM', async () => {
    const log = `files:${temporaryFolder()}`;
    const start = async () => {
      const example = startProcess(startedByReadme(EXAMPLE), { cwd: EXAMPLE, env: { PORT: '0', PREGON_LOG: log } });
      const [, port = ''] = await example.until(/running on port (\d+)\n/);
      return { example, url: `ws://127.0.0.1:${port}/events` };
    };
    const first = await start();
    const client = await PlainClient.open(`${first.url}?since=first`);
    const [event] = await client.events.count(1);
    await first.example.kill('SIGKILL');
    const second = await start();
    const resumed = await PlainClient.open(`${second.url}?since=first`);
    const [again, next] = await resumed.events.count(2);
    expect(again).toEqual(event);
    expect(next?.id).not.toBe(event?.id);
    expect((await second.example.kill('SIGTERM')).code).toBe(0);
  });
});
