import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { Part } from '../parts/part.js';
import { number } from '../verification/rows.js';

/** The server programs in the folders of the distributions, the newest version first. */
const PROGRAMS = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((version) => join(folder, version, 'bin')))
  .filter((folder) => existsSync(join(folder, 'initdb')))
  .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));

/** A PostgreSQL cluster of the run's own, which is created here and started as a part. */
export function postgresPart(folder: string, port: number): Part {
  const [programs] = PROGRAMS;
  if (programs === undefined) throw new Error('the PostgreSQL server is required: apt-get install postgresql');
  const home = join(folder, 'postgres');
  const data = join(home, 'data');
  mkdirSync(home);
  const owner = serverUser(folder, home);
  const command = (program: string, ...args: string[]) => {
    const [file = '', ...rest] = [...owner, join(programs, program), ...args];
    return { file, args: rest };
  };
  const initdb = command('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--no-locale', '-E', 'UTF8');
  execFileSync(initdb.file, initdb.args, { cwd: home, stdio: 'pipe' });
  // Asynchronous commits are written late, so a kill loses them, and the server then reuses transaction numbers.
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=60',
    'wal_writer_delay=1s',
  ];
  return new Part({
    name: 'postgres',
    command: () => command('postgres', '-D', data, ...settings.flatMap((setting) => ['-c', setting])),
    serves: () => answersQueries(postgresUrl(port)),
    inside: () => someBackend(postgresUrl(port)),
    logFile: join(folder, 'postgres.log'),
    // A fast shutdown: it disconnects clients instead of waiting for them.
    endSignal: 'SIGINT',
    // Processes of the former server may not have noticed yet that it was killed.
    mayFailToStart: true,
  });
}

export function postgresUrl(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/**
 * PostgreSQL refuses to run as root. In that case it runs as the user of the distribution, without a shell in between.
 */
function serverUser(folder: string, home: string): string[] {
  if (process.getuid?.() !== 0) return [];
  chmodSync(folder, 0o711);
  execFileSync('chown', ['postgres', home]);
  return ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];
}

/** A process that serves a client. If it is killed, the server ends all clients, and recovers as after a crash. */
async function someBackend(url: string): Promise<number | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(
      'SELECT pid FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1',
    );
    return rows.length === 0 ? undefined : number(rows[0], 'pid');
  } finally {
    await client.end();
  }
}

async function answersQueries(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  // The connection may be lost while it is ended; the answer has already arrived.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end();
  }
}
