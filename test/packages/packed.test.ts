import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const PACKAGES = ['protocol', 'client', 'outbox', 'server', 'nest'];
const modules = join(root, 'node_modules');

/** What somebody who installed the packages might write, in JavaScript. */
const PROGRAM = `
import { createClient } from '@pregon/client';
import { createOutbox } from '@pregon/outbox';
import { encodePosition, matchesTopic } from '@pregon/protocol';
import { createGateway, openLog } from 'pregon';
import Database from 'libsql';
import { WebSocket } from 'ws';

const db = new Database('app.db');
const outbox = createOutbox({ source: '/shop' });
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

/** The same in TypeScript: it need not run, it must compile against the packed types alone. */
const TYPED_PROGRAM = `
import { type Client, type Collection, createClient } from '@pregon/client';
import { createOutbox, type Outbox, type SqliteDatabase } from '@pregon/outbox';
import { CLOSE_CODES, PregonError, type PregonEvent } from '@pregon/protocol';
import { createGateway, type Gateway, openLog, type RouteHandlers } from 'pregon';

export const outbox: Outbox = createOutbox({ source: '/shop' });
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

describe('the packages, packed', () => {
  let folder = '';
  const tarballs = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pregon-packed-'));
    for (const name of PACKAGES) {
      const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
        cwd: join(root, 'packages', name),
      });
      tarballs.set(name, join(folder, readFilename(stdout)));
    }
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PACKAGES)('%s passes publint', async (name) => {
    const { stdout } = await run(
      process.execPath,
      [join(modules, 'publint/src/cli.js'), tarballs.get(name) ?? '', '--strict'],
      { cwd: folder },
    );
    expect(stdout).toMatch(/All good/);
  });

  // Exits with an error where it finds a problem.
  it.each(PACKAGES)('%s passes arethetypeswrong', async (name) => {
    const attw = join(modules, '@arethetypeswrong/cli/dist/index.js');
    const { stdout } = await run(
      process.execPath,
      [attw, tarballs.get(name) ?? '', '--profile', 'esm-only', '--no-color'],
      { cwd: folder },
    );
    expect(stdout).toMatch(/node16 \(from ESM\)\s+│ 🟢 \(ESM\)/);
    expect(stdout).toMatch(/bundler\s+│ 🟢/);
  });

  it.each(PACKAGES)(
    '%s brings its license, a page to start from, its source and nothing of its tests',
    async (name) => {
      const { stdout } = await run('tar', ['-tzf', tarballs.get(name) ?? '']);
      const files = stdout.split('\n');
      expect(files).toContain('package/LICENSE');
      expect(files).toContain('package/README.md');
      expect(files).toContain('package/dist/index.d.ts');
      expect(files).toContain('package/src/index.ts');
      expect(files.filter((file) => /test|tsbuildinfo|\.db/.test(file))).toEqual([]);
    },
  );

  it('[000-04][003-10] install into an empty project and work there: library, types, command line and require()', async () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    const install = [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      // Without what NestJS would bring along.
      ...[...tarballs].filter(([name]) => name !== 'nest').map(([, file]) => file),
      installed('libsql'),
      installed('ws'),
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
    expect(version).toContain(JSON.parse(readFileSync(join(root, 'packages/server/package.json'), 'utf8')).version);
    const required = `
      const { createClient } = require('@pregon/client');
      const { attachGateway, createGateway } = require('pregon');
      const { createOutbox } = require('@pregon/outbox');
      console.log([createClient, attachGateway, createGateway, createOutbox].every((made) => typeof made === 'function'));`;
    const common = await run(process.execPath, ['-e', required], { cwd: folder });
    expect([common.stdout.trim(), common.stderr]).toEqual(['true', '']);
  }, 120_000);
});

/** npm prints a list, or since version 11 an object by name. */
function readFilename(json: string): string {
  const answer: unknown = JSON.parse(json);
  const [packed] = typeof answer === 'object' && answer !== null ? Object.values(answer) : [];
  return packed.filename;
}

/** The version of a dependency that this workspace uses, as `npm install` wants it. */
function installed(name: string): string {
  return `${name}@${JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version}`;
}
