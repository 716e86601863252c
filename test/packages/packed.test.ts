import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeBlocks } from '../support/documents/code-blocks.js';
import { linksOf, REPOSITORY, wrongLink } from '../support/documents/links.js';
import { WalkThrough } from '../support/documents/walk-through.js';
import { PACKAGES, type PackageName, pack, ROOT } from '../support/packages/pack.js';
import { describeInBrowser } from '../support/pages/browser.js';
import { eventually } from '../support/waiting.js';

const run = promisify(execFile);
const modules = join(ROOT, 'node_modules');

/** A program that a user of the packages might write, in JavaScript. */
const PROGRAM = `
import { createClient } from '@pregon/client';
import { createSqliteOutbox } from '@pregon/outbox';
import { encodePosition, matchesTopic } from '@pregon/protocol';
import { createGateway, openLog } from 'pregon';
import Database from 'libsql';
import { WebSocket } from 'ws';

const db = new Database('app.db');
const outbox = createSqliteOutbox({ source: '/shop' });
outbox.migrate(db);
const log = await openLog('sqlite:pregon.db');
const relay = outbox.relay({ db, log });
relay.start();
const gateway = await createGateway({ log, routes: { events: { path: '/events' } } });
const { port } = await gateway.listen({ port: 0 });
const client = createClient({ url: 'ws://127.0.0.1:' + port + '/events', WebSocket });
const type = await new Promise((resolve) => {
  client.subscribe({
    topics: ['user.#'],
    onEvent: (event) => resolve(event.type + ' ' + matchesTopic('user.*.created', event.topic)),
    onSubscribed: () => outbox.add(db, { exchange: 'e', topic: 'user.1.created', type: 'UserWasCreated', data: {} }),
  });
});
client.close();
await relay.stop();
await gateway.close();
await log.close();
console.log(type, encodePosition({ offset: 1, fingerprint: 2 }).length > 10);
`;

/** The same in TypeScript. It does not run, but it must compile against the packed types alone. */
const TYPED_PROGRAM = `
import { type Client, type Collection, createClient } from '@pregon/client';
import { createSqliteOutbox, type SqliteOutbox, type SqliteDatabase } from '@pregon/outbox';
import { CLOSE_CODES, PregonError, type PregonEvent } from '@pregon/protocol';
import { createGateway, type Gateway, openLog, type RouteHandlers } from 'pregon';

export const outbox: SqliteOutbox = createSqliteOutbox({ source: '/shop' });
export function write(db: SqliteDatabase): PregonEvent<{ id: string }> {
  return outbox.add(db, { exchange: 'e', topic: 'user.1.created', type: 'UserWasCreated', data: { id: '1' } });
}
const handlers: RouteHandlers = { opened: (connection) => connection.send({ hello: connection.id }) };
export const gateway: Promise<Gateway> = createGateway({ log: 'sqlite:x.db', routes: { events: { path: '/events', handlers: [handlers] } } });
export const client: Client = createClient({ url: 'ws://localhost:1234/events' });
export const users: Collection<Readonly<Record<string, unknown>>> = client.collection({ key: 'id', change: () => undefined });
export const code: number = CLOSE_CODES.DRAINING.code;
export async function head(): Promise<number> {
  try {
    return (await (await openLog('sqlite:x.db')).head()).offset;
  } catch (error) {
    if (error instanceof PregonError && error.retryable) return 0;
    throw error;
  }
}
// @ts-expect-error a route has a path
export const wrong = createGateway({ log: 'sqlite:x.db', routes: { events: {} } });
`;

describeInBrowser('The packed packages', (openPage) => {
  let folder = '';
  let tarballs: ReadonlyMap<PackageName, string> = new Map();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pregon-packed-'));
    tarballs = await pack(folder);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PACKAGES)('include %s, which passes publint', async (name) => {
    const { stdout } = await run(
      process.execPath,
      [join(modules, 'publint/src/cli.js'), tarballs.get(name) ?? '', '--strict'],
      { cwd: folder },
    );
    expect(stdout).toMatch(/All good/);
  });

  // The tool exits with an error if it finds a problem.
  it.each(PACKAGES)('include %s, which passes arethetypeswrong', async (name) => {
    const attw = join(modules, '@arethetypeswrong/cli/dist/index.js');
    const { stdout } = await run(
      process.execPath,
      [attw, tarballs.get(name) ?? '', '--profile', 'esm-only', '--format', 'table', '--no-color'],
      { cwd: folder },
    );
    expect(stdout).toMatch(/node16 \(from ESM\)\s+│ 🟢 \(ESM\)/);
    expect(stdout).toMatch(/bundler\s+│ 🟢/);
  });

  it.each(PACKAGES)('include %s, with its license, a README and its source, and without its tests', async (name) => {
    const { stdout } = await run('tar', ['-tzf', tarballs.get(name) ?? '']);
    const files = stdout.split('\n');
    expect(files).toContain('package/LICENSE');
    expect(files).toContain('package/README.md');
    expect(files).toContain('package/dist/index.d.ts');
    expect(files).toContain('package/src/index.ts');
    // The published contract suites of the server are not its own tests.
    const others = files.filter((file) => !/^package\/(?:dist|src)\/testing(?:\/|\.)/.test(file));
    expect(others.filter((file) => /test|tsbuildinfo|\.db/.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\./.test(file))).toEqual([]);
  });

  it.each(PACKAGES)(
    '[fault G8] include %s, which names its repository, and whose README has only links that work',
    async (name) => {
      const { stdout: manifest } = await run('tar', ['-xOzf', tarballs.get(name) ?? '', 'package/package.json']);
      const { repository, homepage, bugs, keywords, description, author } = JSON.parse(manifest);
      expect(repository).toEqual({ type: 'git', url: `git+${REPOSITORY}.git`, directory: `packages/${name}` });
      expect(homepage).toBe(`${REPOSITORY}/tree/main/packages/${name}#readme`);
      expect(bugs).toBe(`${REPOSITORY}/issues`);
      expect(keywords.length).toBeGreaterThan(3);
      expect([description, author]).toEqual([expect.stringMatching(/\.$/), expect.any(String)]);
      const { stdout: page } = await run('tar', ['-xOzf', tarballs.get(name) ?? '', 'package/README.md']);
      const { stdout: files } = await run('tar', ['-tzf', tarballs.get(name) ?? '']);
      const links = linksOf(page);
      const relative = links.filter((link) => !/^([a-z]+:|#)/i.test(link)).map((link) => link.replace(/#.*/, ''));
      expect(relative.filter((link) => !files.split('\n').includes(`package/${link}`))).toEqual([]);
      expect(links.flatMap((link) => wrongLink(ROOT, `packages/${name}/README.md`, link) ?? [])).toEqual([]);
      expect(links).toContain(`${REPOSITORY}#readme`);
    },
  );

  it('[000-04][003-10] install into an empty project and work there: library, types, command line and require()', async () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    const install = [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      // Without nest, which would bring in the packages of NestJS.
      ...[...tarballs].filter(([name]) => name !== 'nest').map(([, file]) => file),
      ...['express', 'libsql', 'ws'].map(installed),
    ];
    await run('npm', install, { cwd: folder });
    writeFileSync(join(folder, 'program.js'), PROGRAM);
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder, timeout: 30_000 });
    expect(stdout.trim()).toBe('UserWasCreated true true');

    writeFileSync(join(folder, 'program.ts'), TYPED_PROGRAM);
    const typescript = join(modules, 'typescript/bin/tsc');
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom',
      '--typeRoots',
      join(modules, '@types'),
      '--types',
      'node',
    ];
    await run(process.execPath, [typescript, ...flags, 'program.ts'], { cwd: folder });

    const { stdout: version } = await run('npx', ['--no-install', 'pregon', '--version'], { cwd: folder });
    expect(version).toContain(JSON.parse(readFileSync(join(ROOT, 'packages/server/package.json'), 'utf8')).version);
    const required = `
      const { createClient } = require('@pregon/client');
      const { attachGateway, createGateway } = require('pregon');
      const { createSqliteOutbox } = require('@pregon/outbox');
      console.log([createClient, attachGateway, createGateway, createSqliteOutbox].every((made) => typeof made === 'function'));`;
    const common = await run(process.execPath, ['-e', required], { cwd: folder });
    expect([common.stdout.trim(), common.stderr]).toEqual(['true', '']);
  });

  /** A folder inside the project with the installed packages, which finds them there. */
  async function emptyFolder(name: string): Promise<WalkThrough> {
    const project = join(folder, name);
    mkdirSync(project);
    symlinkSync(join(folder, 'node_modules'), join(project, 'node_modules'));
    return WalkThrough.start(project);
  }

  /** Expects that every package that a document installs is there. */
  function expectInstalled(line: string): void {
    const [command, names = ''] = line.split(/(?<=^npm install) /);
    expect(command).toBe('npm install');
    for (const name of names.trim().split(' ')) expect(existsSync(join(folder, 'node_modules', name)), name).toBe(true);
  }

  it('[fault G1] run the program of README.md as it stands: application, gateway and page', async () => {
    const shop = await emptyFolder('readme');
    const blocks = codeBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8')).filter(
      ({ heading }) => heading === 'Use it',
    );
    for (const { file, text } of blocks) if (file !== undefined) shop.write(file, text);
    const [setUp, start] = blocks
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text.trim().split('\n'));
    expect(setUp?.[0]).toBe('npm init -y');
    expectInstalled(setUp?.[1] ?? '');
    const [application = '', gateway = ''] = start ?? [];
    shop.run(application);
    await shop.untilServed('http://localhost:8080/');
    const running = shop.run(gateway);
    const page = await openPage();
    await page.goto(shop.here('http://localhost:8080/'));
    const names = () => page.locator('li').allTextContents();
    const addUser = async (name: string) => {
      await page.fill('input[name=name]', name);
      await page.click('button');
    };
    await addUser('Ada');
    await eventually(names, (all) => all.join() === 'Ada');
    await running.kill('SIGKILL');
    await addUser('Grace');
    shop.run(gateway);
    await eventually(names, (all) => all.join() === 'Ada,Grace');
    // The line for the browser console, under "Try it".
    const [console_] = codeBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8')).filter(({ text }) =>
      text.startsWith('new WebSocket'),
    );
    const said = page.waitForEvent('console');
    await page.evaluate(`${shop.here(console_?.text ?? '')}; document.title = 'asked'`);
    await addUser('Edsger');
    expect((await said).text()).not.toBe('');
    await page.context().close();
  });

  it('[fault G1] run the ten steps of docs/guide/tutorial.md, each as it stands', async () => {
    const tutorial = await emptyFolder('tutorial');
    const blocks = codeBlocks(readFileSync(join(ROOT, 'docs/guide/tutorial.md'), 'utf8'));
    expect(new Set(blocks.map(({ heading }) => Number.parseInt(heading, 10))).size).toBe(10);
    const page = await openPage();
    const names = () => page.locator('li').allTextContents();
    const waits: Readonly<Record<string, () => Promise<unknown>>> = {
      6: () => tutorial.untilServed('http://localhost:8080/snapshots/users'),
      7: () => tutorial.untilServed('http://localhost:1234/socket.io/socket.io.js'),
    };
    const expectedNames: Readonly<Record<string, string>> = { 9: 'Ada Lovelace,Grace', 10: 'Ada Lovelace,Edsger' };
    let gateway = tutorial.run('true');
    let last = '';
    for (const { heading, file, language, text } of blocks) {
      const step = String(Number.parseInt(heading, 10));
      if (file !== undefined) tutorial.write(file, text);
      else if (language === 'json') expect(JSON.parse(last)).toEqual(JSON.parse(text));
      else if (language === 'text') expect(text).toContain('"type":"UserWasCreated"');
      if (step === '9' && file !== undefined) await page.goto(tutorial.here('http://localhost:8080/'));
      if (step === '10') await gateway.kill('SIGKILL');
      for (const line of language === 'sh' ? text.trim().split('\n') : []) {
        if (line.startsWith('npm install')) expectInstalled(line);
        else if (line.startsWith('npm ')) continue;
        else if (line.startsWith('curl')) last = await tutorial.runToEnd(line);
        else {
          const running = tutorial.run(line);
          if (line.startsWith('npx pregon run')) gateway = running;
          if (line.startsWith('npx pregon connect')) {
            await tutorial.untilSaid(
              running,
              /^: \{.*"type":"UserWasCreated".*"data":\{"id":1,"name":"Ada"\},"topic":"user\.1\.created"/m,
            );
          }
          await waits[step]?.();
        }
      }
      if (step === '10') gateway = tutorial.run(gateway.line);
      const wanted = expectedNames[step];
      if (language === 'sh' && wanted !== undefined) await eventually(names, (all) => all.join() === wanted);
    }
    await eventually(
      () => page.locator('#state').textContent(),
      (state) => state === 'online',
    );
    await page.context().close();
  });
});

/** A dependency with the version that this workspace uses, in the form that `npm install` takes. */
function installed(name: string): string {
  return `${name}@${JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version}`;
}
