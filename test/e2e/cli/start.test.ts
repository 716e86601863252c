import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createClient } from '@pregon/client';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { createEngine, type Engine } from '../../support/pages/users-app.js';
import { freePort } from '../../support/ports.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { type RunningProcess, startProcess } from '../../support/processes.js';
import { describeWithBroker } from '../../support/rabbitmq.js';
import { eventually } from '../../support/waiting.js';

const WORKSPACE = join(import.meta.dirname, '../../..');
const APPLICATION = join(WORKSPACE, 'apps/users');
const START = join(APPLICATION, 'dist/start.js');

describe('npm start', () => {
  it('[fault G3] says first what it does, then what it builds, and then where to go', async () => {
    const { scripts } = JSON.parse(readFileSync(join(WORKSPACE, 'package.json'), 'utf8'));
    // No other program runs before the one that says what happens.
    expect(scripts.start).toBe('node apps/users/start.mjs');
    const { port, gatewayPort, data } = await newPorts();
    const env = { ...environment({ port, gatewayPort, data }) };
    const starting = startProcess([join(APPLICATION, 'start.mjs')], { env });
    await starting.until(/Pregon starts.*\n[\s\S]*building the page\n[\s\S]*built after [\d.]+ s; starting\n/);
    await starting.until(new RegExp(`application\\s+http://localhost:${port}`));
    expect((await starting.kill('SIGINT')).code).toBe(0);
  });

  it('[fault G3] says what it does within a second of CPU time, before it waits for the compiler', async () => {
    const folder = temporaryFolder();
    const compiler = join(folder, 'node_modules/typescript/bin/tsc');
    for (const made of [join(folder, 'apps/users'), dirname(compiler)]) mkdirSync(made, { recursive: true });
    copyFileSync(join(APPLICATION, 'start.mjs'), join(folder, 'apps/users/start.mjs'));
    // A stand-in for the compiler, which ends only when the test says so, or with the process that started it.
    const isOver = `process.ppid !== parent || require('node:fs').existsSync(${JSON.stringify(join(folder, 'end'))})`;
    writeFileSync(
      compiler,
      `const parent = process.ppid;\nsetInterval(() => { if (${isOver}) process.exit(1); }, 10);\n`,
    );
    const starting = startProcess([join(folder, 'apps/users/start.mjs')]);
    await starting.until(/^ {2}Pregon starts: it builds/);
    expect(mainThreadCpuMs(starting.pid)).toBeLessThan(1_000);
    writeFileSync(join(folder, 'end'), '');
    expect(await starting.exited).toMatchObject({ code: 1, stderr: expect.stringMatching(/^The build failed\./) });
  });

  it('[fault G3] shows where a build fails, and ends with code 1', async () => {
    const folder = temporaryFolder();
    // The whole workspace unchanged, except for one source file of the application.
    for (const name of ['node_modules', 'packages', 'package.json', 'tsconfig.base.json']) {
      symlinkSync(join(WORKSPACE, name), join(folder, name));
    }
    mkdirSync(join(folder, 'apps/users/src'), { recursive: true });
    for (const name of ['start.mjs', 'tsconfig.json'])
      copyFileSync(join(APPLICATION, name), join(folder, 'apps/users', name));
    writeFileSync(join(folder, 'apps/users/src/start.ts'), 'export const port: number = "5001";\n');
    const { code, stdout, stderr } = await startProcess([join(folder, 'apps/users/start.mjs')]).exited;
    expect(code).toBe(1);
    expect(stdout).toMatch(/building apps\/users \(\d of \d\)/);
    expect(stderr).toMatch(/start\.ts.*error TS2322[\s\S]*The build failed\./);
    expect(stdout + stderr).not.toMatch(/\n +at /);
  });

  it('[fault G3] says in one line what to run if the packages are missing', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'apps/users'), { recursive: true });
    copyFileSync(join(APPLICATION, 'start.mjs'), join(folder, 'apps/users/start.mjs'));
    const { code, stderr } = await startProcess([join(folder, 'apps/users/start.mjs')]).exited;
    expect(code).toBe(1);
    expect(stderr).toBe('Packages are missing: run npm ci, then npm start again.\n');
  });

  it('[000-01][004-01] starts two processes on two ports and prints both URLs, and the page uses these ports', async () => {
    const started = await start();
    expect(new Set([started.supervisor.pid, started.applicationPid, started.gatewayPid]).size).toBe(3);
    const page = await (await fetch(`http://localhost:${started.port}/`)).text();
    expect(page).toContain(`:${started.gatewayPort}/events`);
    const opened = new WebSocket(`ws://localhost:${started.gatewayPort}/events`);
    await new Promise((resolve) => opened.once('open', resolve));
    opened.terminate();
    await started.stop('SIGINT');
  });

  it('leaves no process, no busy port and no lock after Ctrl-C, and the data is there at the next start', async () => {
    const first = await start();
    expect(await put(first.port, '1')).toBe(201);
    const { code } = await first.stop('SIGINT');
    expect(code).toBe(0);
    for (const pid of [first.applicationPid, first.gatewayPid]) expect(isRunning(pid)).toBe(false);
    expect(readdirSync(first.data).filter((name) => /lock|journal|\.sock|nudge/.test(name))).toEqual([]);
    // If two processes end at the same moment, SQLite may take neither for the last one; then an empty write-ahead log
    // stays.
    const walFile = join(first.data, 'pregon.db-wal');
    expect(existsSync(walFile) ? statSync(walFile).size : 0).toBe(0);
    const second = await start(first);
    expect(await (await fetch(`http://localhost:${second.port}/users`)).json()).toMatchObject([{ id: '1' }]);
    const client = createClient({ url: `ws://localhost:${second.gatewayPort}/events`, WebSocket });
    onTestFinished(() => client.close());
    const types: string[] = [];
    client.subscribe({ since: 'first', onEvent: ({ type }) => types.push(type) });
    await eventually(
      () => types,
      ([type]) => type === 'UserWasCreated',
    );
    await second.stop('SIGTERM');
  });

  it('keeps the application running when the gateway is killed, and says how to start it again', async () => {
    const started = await start();
    process.kill(started.gatewayPid, 'SIGKILL');
    await started.supervisor.until(/gateway[^\n]*(ended|killed|gone|SIGKILL)[\s\S]*npm run gateway/i);
    expect(await put(started.port, '1')).toBe(201);
    const again = startProcess([START, '--only=gateway'], { env: environment(started) });
    await again.until(/listens on/);
    const events: string[] = [];
    const plain = new WebSocket(`ws://localhost:${started.gatewayPort}/events?since=first`);
    onTestFinished(() => plain.terminate());
    plain.on('message', (data) => events.push(data.toString()));
    await eventually(
      () => events.length,
      (count) => count === 1,
    );
    await again.kill('SIGINT');
    await started.stop('SIGINT');
  });

  it('ends with one line of advice if a port is in use, and leaves nothing running', async () => {
    const started = await start();
    const second = startProcess([START], {
      env: { ...environment(started), DATA_DIR: temporaryFolder(), GATEWAY_PORT: String(await freePort()) },
    });
    const { code, stdout, stderr } = await second.exited;
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(new RegExp(`${started.port}.*in use.*PORT=`, 's'));
    await started.stop('SIGINT');
  });
});

await describeWithPostgres('npm start on PostgreSQL', (url) => {
  describeWithBroker('and RabbitMQ', () => {
    it('[000-03] relays events between the two processes, shows its settings without a password, and Ctrl-C leaves no connection', async () => {
      const ports = { ...(await newPorts()), engine: await createEngine(withPassword(url())) };
      const started = await start(ports);
      await started.supervisor.until(/database +postgres:\/\/postgres:\*\*\*@/);
      await started.supervisor.until(/log +amqp:\/\/guest:\*\*\*@/);
      // [fault G4] The printed command can be pasted: secrets come from the shell, and the default user is left out.
      await started.supervisor.until(/DATABASE_URL="\$\{DATABASE_URL:\?set it as for npm start\}" .* npm run gateway/);
      const heard = await listen(started);
      expect(await put(started.port, '1')).toBe(201);
      await eventually(
        () => heard,
        ([type]) => type === 'UserWasCreated',
      );
      expect(await othersConnected(url())).toBeGreaterThan(0);
      const { code, stdout, stderr } = await started.stop('SIGINT');
      expect(code).toBe(0);
      expect(stdout + stderr).not.toMatch(/secret|guest:guest/);
      expect(await othersConnected(url())).toBe(0);
    });
  });

  it('ends with one line if the database does not exist, and leaves nothing running', async () => {
    const nowhere = Object.assign(new URL(withPassword(url())), { pathname: '/nowhere' }).href;
    const ports = await newPorts();
    const supervisor = startProcess([START], { env: environment({ ...ports, engine: { DATABASE_URL: nowhere } }) });
    const { code, stdout, stderr } = await supervisor.exited;
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^app +│ postgres:.* cannot be used: database "nowhere" does not exist. See DATABASE_URL.$/m,
    );
    expect(stdout.split('\n').filter((line) => line.startsWith('app '))).toHaveLength(1);
    expect(stdout + stderr).not.toMatch(/secret|Error|\n +at /);
    for (const port of [ports.port, ports.gatewayPort])
      await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
  });

  it('waits for a PostgreSQL that does not answer and says so, until Ctrl-C ends the wait', async () => {
    const engine = { DATABASE_URL: `postgres://postgres@127.0.0.1:${await freePort()}/users` };
    const supervisor = startProcess([START], { env: environment({ ...(await newPorts()), engine }) });
    await supervisor.until(/app +│ postgres:.* does not answer: .*ECONNREFUSED.* waits for it, and retries/);
    const { code, stdout } = await supervisor.kill('SIGINT');
    expect(code).toBe(0);
    expect(stdout).not.toContain('Try it');
  });
});

describeWithBroker('npm start on RabbitMQ', () => {
  it('ends with one line if the password is wrong, and leaves nothing running', async () => {
    const ports = await newPorts();
    const env = environment({ ...ports, engine: { PREGON_LOG: 'amqp://guest:secret@127.0.0.1' } });
    const { code, stdout, stderr } = await startProcess([START], { env }).exited;
    expect(code).toBe(1);
    expect(stdout).toMatch(/│ .*RabbitMQ at 127.0.0.1:5672 refused user "guest": the name or the password is wrong/);
    expect(stdout + stderr).not.toMatch(/secret|\n +at /);
    await expectNothingListens(ports);
  });

  it('waits for a RabbitMQ that does not answer and says so, until Ctrl-C ends the wait', async () => {
    const engine = { PREGON_LOG: `amqp://guest:guest@127.0.0.1:${await freePort()}` };
    const supervisor = startProcess([START], { env: environment({ ...(await newPorts()), engine }) });
    await supervisor.until(/app +│ RabbitMQ at .* does not answer: .*ECONNREFUSED/);
    await supervisor.until(/gateway +│ .*waiting for RabbitMQ at .*ECONNREFUSED/);
    const { code, stdout } = await supervisor.kill('SIGINT');
    expect(code).toBe(0);
    expect(stdout).not.toContain('Try it');
  });
});

function withPassword(url: string): string {
  return Object.assign(new URL(url), { password: 'secret' }).href;
}

async function expectNothingListens({ port, gatewayPort }: Ports): Promise<void> {
  for (const each of [port, gatewayPort]) await expect(fetch(`http://127.0.0.1:${each}`)).rejects.toThrow();
}

/** Collects the types of the events from now on. */
async function listen({ gatewayPort }: Ports): Promise<string[]> {
  const socket = new WebSocket(`ws://localhost:${gatewayPort}/events`);
  onTestFinished(() => socket.terminate());
  const types: string[] = [];
  socket.on('message', (data) => types.push(JSON.parse(data.toString()).type));
  await new Promise((resolve) => socket.once('open', resolve));
  return types;
}

async function othersConnected(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    'SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await client.end();
  return rows[0].count;
}

interface Ports {
  readonly port: number;
  readonly gatewayPort: number;
  readonly data: string;
  readonly engine?: Engine;
}

async function newPorts(): Promise<Ports> {
  return { port: await freePort(), gatewayPort: await freePort(), data: temporaryFolder() };
}

interface Started extends Ports {
  readonly supervisor: RunningProcess;
  readonly applicationPid: number;
  readonly gatewayPid: number;
  stop(signal: NodeJS.Signals): ReturnType<RunningProcess['kill']>;
}

async function start(like?: Ports): Promise<Started> {
  const ports = like ?? (await newPorts());
  const supervisor = startProcess([START], { env: environment(ports) });
  const [, application = ''] = await supervisor.until(/application\s+http:\/\/localhost:\d+\s+pid (\d+)/);
  const [, gateway = ''] = await supervisor.until(/gateway\s+ws:\/\/localhost:\d+\/events\s+pid (\d+)/);
  const { port, gatewayPort, data } = ports;
  // If a test fails and the supervisor is killed, these processes go on, and would create queues of the test at the
  // broker again.
  afterTest(async () => {
    for (const pid of [Number(application), Number(gateway)]) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  expect(supervisor.stdout).toContain(`http://localhost:${port}`);
  expect(supervisor.stdout).toContain(`ws://localhost:${gatewayPort}/events`);
  return {
    port,
    gatewayPort,
    data,
    supervisor,
    applicationPid: Number(application),
    gatewayPid: Number(gateway),
    stop: (signal) => supervisor.kill(signal),
  };
}

function environment({ port, gatewayPort, data, engine }: Ports): Record<string, string> {
  return { PORT: String(port), GATEWAY_PORT: String(gatewayPort), DATA_DIR: data, DATABASE_URL: '', ...engine };
}

async function put(port: number, id: string): Promise<number> {
  const body = JSON.stringify({ name: 'Ada', email: 'ada@example.com' });
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(`http://localhost:${port}/users/${id}`, { method: 'PUT', headers, body })).status;
}

/** The CPU time of a process by the kernel's count, which does not grow on a busy machine. */
function mainThreadCpuMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ', 1)[0]) / 1e6;
}

/** Whether a process still runs and is not a zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false;
    throw error;
  }
}
