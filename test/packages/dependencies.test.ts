import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { afterFile, temporaryFolder } from '../support/cleanup.js';
import { type PackageName, pack, ROOT } from '../support/packages/pack.js';
import { cleanEnvironment } from '../support/processes.js';

const run = promisify(execFile);

/**
 * What `npm install pregon` installs, in files of Linux on x64. Raise a limit only with a reason in
 * docs/decisions/0013-loaded-when-used.md.
 */
const MOST_PACKAGES = 48;
const MOST_MIB = 40;

/** Modules that `import 'pregon'` evaluates, both our own and those of other packages. */
const MOST_MODULES = 140;

/** The number of runs for a median. The limit has a tenfold margin, so a few are enough. */
const RUNS = 5;

interface Evaluated {
  readonly imported: readonly string[];
  readonly later: readonly string[];
}

/** Time for packing and installing on a busy machine with an empty cache. */
const SET_UP_MS = 600_000;

let folder = '';
let tarballs: ReadonlyMap<PackageName, string> = new Map();

/** An installation of `pregon` as users have it, without any optional package. */
beforeAll(async () => {
  folder = temporaryFolder(afterFile);
  tarballs = await pack(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  const files = (['protocol', 'outbox', 'server'] as const).map((name) => tarballs.get(name) ?? '');
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', ...files], { cwd: folder });
  copyFileSync(join(ROOT, 'test/support/packages/evaluated.mjs'), join(folder, 'evaluated.mjs'));
}, SET_UP_MS);

/** The packages that an import evaluates, those that the code after it evaluates, and the number of modules. */
async function evaluated(name: string, body = '') {
  const { stdout } = await run(process.execPath, ['evaluated.mjs', name, body], {
    cwd: folder,
    env: cleanEnvironment(),
  });
  const { imported, later }: Evaluated = JSON.parse(stdout);
  return { imported: packagesOf(imported), later: packagesOf(later), modules: imported.length };
}

function packagesOf(files: readonly string[]): string[] {
  const names = files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/**
 * Runs a program in the folder.
 * @returns how it ended, also after a failure
 */
async function ran(args: readonly string[], file = process.execPath) {
  try {
    const { stdout, stderr } = await run(file, args, { cwd: folder, env: cleanEnvironment(), timeout: SET_UP_MS });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = Object(error);
    // A process that was ended by a signal has no exit code.
    return { code: typeof code === 'number' ? code : -1, stdout: String(stdout), stderr: String(stderr) };
  }
}

/** Runs the link to the command line that npm made, as `npx pregon` does. */
const pregon = (...args: readonly string[]) => ran(args, join(folder, 'node_modules/.bin/pregon'));

const OPENED = `
  const { createGateway } = exported;
  const gateway = await createGateway({ log: 'sqlite:pregon.db', routes: { events: { path: '/events' } } });
  const { port } = await gateway.listen({ port: 0 });
`;

describe('An import of pregon', () => {
  it('evaluates no driver, and nothing that only the command line needs', async () => {
    const { imported, modules } = await evaluated('pregon');
    expect(imported).toEqual(['@pregon/protocol', 'pregon', 'ws']);
    expect(modules).toBeLessThanOrEqual(MOST_MODULES);
  });

  it('and a gateway on SQLite evaluate its driver, but not Socket.IO', async () => {
    const { later } = await evaluated('pregon', OPENED);
    expect(later).toEqual(expect.arrayContaining(['libsql', 'pregon']));
    const others = [
      'amqplib',
      'pg',
      'jiti',
      'jose',
      'yaml',
      'pino',
      'zod',
      'socket.io',
      'engine.io',
      'socket.io-adapter',
    ];
    expect(later.filter((name) => others.includes(name))).toEqual([]);
  });

  it.each([
    ['its first client', `await fetch('http://127.0.0.1:' + port + '/socket.io/?EIO=4&transport=polling')`],
    ['gateway.io', `gateway.io.of('/events')`],
  ])('evaluates Socket.IO only for %s', async (_, asked) => {
    const { later } = await evaluated('pregon', `${OPENED}${asked};`);
    expect(later).toEqual(expect.arrayContaining(['socket.io', 'engine.io', 'socket.io-adapter', 'socket.io-parser']));
    expect(later.filter((name) => ['zod', 'yaml', 'pino', 'jiti'].includes(name))).toEqual([]);
  });

  it('takes little time', async () => {
    writeFileSync(join(folder, 'empty.mjs'), TIMED);
    writeFileSync(join(folder, 'imports.mjs'), `import 'pregon';\n${TIMED}`);
    const times = { 'empty.mjs': [] as number[], 'imports.mjs': [] as number[] };
    for (let round = 0; round < RUNS; round++) {
      for (const file of ['empty.mjs', 'imports.mjs'] as const) times[file].push(Number((await ran([file])).stdout));
    }
    const [empty, imports] = [median(times['empty.mjs']), median(times['imports.mjs'])];
    console.log(
      `import 'pregon': ${Math.round(imports - empty)} ms of CPU beside ${Math.round(empty)} ms of an empty script`,
    );
    // An import takes about as much time as Node.js itself.
    expect(imports).toBeLessThan(10 * empty);
  });
});

/** CPU time of the process so far, which a busy machine changes less than the time on the clock. */
const TIMED = `const { user, system } = process.cpuUsage(); console.log((user + system) / 1000);`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe('A package that only some users need', () => {
  it('is named, with the command to install it, by an error with a code (amqplib)', async () => {
    writeFileSync(
      join(folder, 'rabbitmq.mjs'),
      `import { createGateway, openLog, PregonError } from 'pregon';
      const url = 'amqp://guest:guest@127.0.0.1:1/';
      const say = (error) => console.log(error instanceof PregonError, error.code, error.retryable, error.message);
      await openLog(url).catch(say);
      await createGateway({ log: url, routes: {} }).catch(say);`,
    );
    const { stdout } = await ran(['rabbitmq.mjs']);
    const said = 'true DRIVER_MISSING false a log on RabbitMQ needs the package amqplib: npm install amqplib';
    expect(stdout.trim().split('\n')).toEqual([said, said]);
  });

  it.each([
    ['amqplib', ['run', '127.0.0.1:0', '--route=events', '--exchange=e', '--log=amqp://guest:guest@127.0.0.1:1/']],
    ['amqplib', ['bus', 'check', '--exchange=e', '--log=amqp://guest:guest@127.0.0.1:1/']],
    ['amqplib', ['publish', 'e', 'a.b', '{}', '--type=T', '--log=amqp://guest:guest@127.0.0.1:1/']],
    ['pg', ['outbox', 'stuck', 'list', '--db=postgres://user@127.0.0.1:1/shop']],
  ])('is named, with the command to install it, by the command line (%s: pregon %j)', async (name, line) => {
    const { code, stdout, stderr } = await pregon(...line);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(`needs the package ${name}: npm install ${name}`);
    expect(stdout + stderr).not.toMatch(/ {4}at /);
  });

  it('is not needed for the rest of the command line', async () => {
    const { code, stdout } = await ran(['--no-install', 'pregon', '--help'], 'npx');
    expect(code).toBe(0);
    expect(stdout).toContain('bus check');
  });
});

describe('npm install pregon', () => {
  it(`brings at most ${MOST_PACKAGES} packages and ${MOST_MIB} MiB`, () => {
    const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
    const mib = bytesIn(join(folder, 'node_modules')) / 1_048_576;
    console.log(`npm install pregon: ${Object.keys(packages).length} packages, ${mib.toFixed(1)} MiB`);
    expect(Object.keys(packages).length).toBeLessThanOrEqual(MOST_PACKAGES);
    expect(mib).toBeLessThanOrEqual(MOST_MIB);
  });
});

/**
 * The oldest supported version, a current one, and the first native one, each with the file of another package that it
 * cannot compile: Engine.IO declares Buffer as generic, which TypeScript 5.6 does not know.
 */
const TYPESCRIPTS: readonly (readonly [place: string, broken: RegExp | undefined])[] = [
  ['test/typescript-5.6', /node_modules\/engine\.io\/build\/parser-v3\/index\.d\.ts\(/],
  ['test/typescript-5.9', undefined],
  ['.', undefined],
];

describe('A program in TypeScript that uses all packages', () => {
  beforeAll(async () => {
    for (const name of ['client', 'nest'] as const) {
      const place = join(folder, 'node_modules/@pregon', name);
      mkdirSync(place);
      await run('tar', ['-xzf', tarballs.get(name) ?? '', '-C', place, '--strip-components=1']);
    }
    for (const name of ['@nestjs', 'rxjs', 'reflect-metadata']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
    copyFileSync(join(ROOT, 'test/support/packages/consumer.ts.txt'), join(folder, 'consumer.ts'));
  });

  it.each(TYPESCRIPTS)(
    'compiles with the TypeScript of %s, which also checks the types of the packages',
    async (place, broken) => {
      const options = {
        noEmit: true,
        strict: true,
        skipLibCheck: false,
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'dom'],
        types: ['node'],
        experimentalDecorators: true,
      };
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: ['consumer.ts'] }),
      );
      const tsc = join(ROOT, place, 'node_modules/typescript/bin/tsc');
      const { code, stdout, stderr } = await ran([tsc, '-p', 'tsconfig.json']);
      const lines = stdout.split('\n').filter((line) => line !== '');
      // With `skipLibCheck` there would be no errors at all: the expected ones are all in declarations of another package.
      const errors = lines.filter((line) => broken?.test(line) !== true);
      expect({ errors, stderr }).toEqual({ errors: [], stderr: '' });
      expect(code).toBe(lines.length === 0 ? 0 : 2);
    },
    SET_UP_MS,
  );
});

function bytesIn(path: string): number {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return names
    .map((name) => statSync(join(path, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
