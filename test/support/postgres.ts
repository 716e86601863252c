import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { isHidden, isRequired } from './machine.js';
import { freePort } from './ports.js';
import { eventually } from './waiting.js';

const run = promisify(execFile);

/** The server on which tests create their databases. */
const SERVER = process.env['PREGON_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** The server programs in the folders of the distributions, the newest version first. */
const PROGRAMS = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((version) => join(folder, version, 'bin')))
  .filter((folder) => existsSync(join(folder, 'initdb')))
  .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));

/**
 * A suite that needs a PostgreSQL server. `suite` gets a function that returns the URL of an empty database, to be
 * called while tests run. If no server answers, the suite is skipped and says so, unless everything is required.
 */
export async function describeWithPostgres(name: string, suite: (url: () => string) => void): Promise<void> {
  const inDatabase = () => {
    let database: { url: string; drop(): Promise<void> } | undefined;
    beforeAll(async () => {
      database = await createDatabase();
    });
    afterAll(() => database?.drop());
    suite(() => {
      if (database === undefined) throw new Error('the database exists only while the tests run');
      return database.url;
    });
  };
  const why = isRequired ? undefined : await whyNoServer();
  if (why === undefined) describe(name, inDatabase);
  else describe.skip(`${name} (skipped: no PostgreSQL, name one: PREGON_TEST_POSTGRES=${SERVER}; ${why})`, inDatabase);
}

/** A suite that starts and kills its own server. */
export function describeWithOwnPostgres(name: string, suite: () => void): void {
  if ((PROGRAMS.length > 0 && !isHidden('postgresql')) || isRequired) describe(name, suite);
  else describe.skip(`${name} (skipped: install the server of PostgreSQL, apt-get install postgresql)`, suite);
}

async function whyNoServer(): Promise<string | undefined> {
  if (isHidden('postgresql')) return 'hidden by PREGON_WITHOUT';
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  } finally {
    await client.end();
  }
}

/** Creates an empty database with a random name; `drop` also ends its connections. */
async function createDatabase(server = SERVER): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `pregon_test_${randomBytes(8).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  return { url: url.href, drop: () => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function onServer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A server that belongs to the test, which may kill it. */
export interface PostgresServer {
  /** The URL for a superuser without a password. */
  readonly url: string;
  /** Kills the server with all its processes, as a power failure does, except that the system's disk cache survives. */
  kill(): Promise<void>;
  /** Starts it on the same data and port. */
  start(): Promise<void>;
  /** Stops it with a fast shutdown, which disconnects clients. */
  stop(): Promise<void>;
  /** Stops it, and removes its data. */
  remove(): Promise<void>;
}

/** Creates a cluster on a free loopback port, and starts it. */
export async function startPostgres(): Promise<PostgresServer> {
  const [programs] = PROGRAMS;
  if (programs === undefined) throw new Error('the PostgreSQL server is required: apt-get install postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'pregon-postgres-'));
  const data = join(folder, 'data');
  const owner = await serverUser(folder);
  const as = (program: string, args: readonly string[]) => [...owner, join(programs, program), ...args];
  const [initdb = '', ...initdbArgs] = as('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-N']);
  await run(initdb, initdbArgs, { cwd: folder });
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let pid: number | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  async function start(): Promise<void> {
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      `unix_socket_directories=${folder}`,
      'max_connections=60',
    ];
    const [program = '', ...args] = as('postgres', ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]);
    // After a kill, the data folder stays locked until the last process of the killed server has noticed it.
    await eventually(
      async () => {
        const server = spawn(program, args, { cwd: folder, stdio: 'ignore' });
        pid = server.pid;
        ended = once(server, 'exit');
        const refused = ended.then(() => false);
        return Promise.race([
          refused,
          eventually(
            () => isReady(url),
            (ready) => ready,
          ).then(() => true),
        ]);
      },
      (isUp) => isUp,
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (pid === undefined) return;
    process.kill(pid, signal);
    pid = undefined;
    await ended;
  }

  /** Kills the child processes as well; otherwise those of connections would go on for a moment, and commit. */
  async function kill(): Promise<void> {
    if (pid === undefined) return;
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]);
    await end('SIGKILL');
    for (const child of stdout.split('\n').map(Number)) if (child > 0) killIfThere(child);
  }

  await start();
  return {
    url,
    start,
    stop: () => end('SIGINT'),
    kill,
    async remove() {
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * PostgreSQL refuses to run as root. In that case it runs as the user of the distribution, without a shell in between.
 */
async function serverUser(folder: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  await run('chown', ['postgres', folder]);
  chmodSync(folder, 0o755);
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];
}

async function isReady(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has already ended, because its server is gone.
  }
}
