import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@pregon/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../support/ports.js';
import { type RunningProcess, startProcess, temporaryFolder } from '../support/processes.js';
import { eventually } from '../support/waiting.js';

const START = join(import.meta.dirname, '../../apps/auction/dist/start.js');

describe('npm start', () => {
  it('[000-01][004-01] starts two processes on two ports, prints both URLs, and the page follows the ports', async () => {
    const started = await start();
    expect(new Set([started.supervisor.pid, started.applicationPid, started.gatewayPid]).size).toBe(3);
    const page = await (await fetch(`http://localhost:${started.port}/`)).text();
    expect(page).toContain(`:${started.gatewayPort}/events`);
    const opened = new WebSocket(`ws://localhost:${started.gatewayPort}/events`);
    await new Promise((resolve) => opened.once('open', resolve));
    opened.terminate();
    await started.stop('SIGINT');
  });

  it('Ctrl-C leaves no process, no port in use and no lock, and the data is there at the next start', async () => {
    const first = await start();
    expect(await put(first.port, '1')).toBe(201);
    const { code } = await first.stop('SIGINT');
    expect(code).toBe(0);
    for (const pid of [first.applicationPid, first.gatewayPid]) expect(isRunning(pid)).toBe(false);
    expect(readdirSync(first.data).filter((name) => /lock|journal|\.sock|nudge|pregon\.db-/.test(name))).toEqual([]);
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

  it('the gateway is killed: the application goes on, and what starts the gateway again is said', async () => {
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

  it('a port that is in use ends it with one line that says what to do, and nothing is left running', async () => {
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

interface Ports {
  readonly port: number;
  readonly gatewayPort: number;
  readonly data: string;
}

interface Started extends Ports {
  readonly supervisor: RunningProcess;
  readonly applicationPid: number;
  readonly gatewayPid: number;
  stop(signal: NodeJS.Signals): ReturnType<RunningProcess['kill']>;
}

async function start(like?: Ports): Promise<Started> {
  const ports = like ?? { port: await freePort(), gatewayPort: await freePort(), data: temporaryFolder() };
  const supervisor = startProcess([START], { env: environment(ports) });
  const [, application = ''] = await supervisor.until(/application\s+http:\/\/localhost:\d+\s+pid (\d+)/);
  const [, gateway = ''] = await supervisor.until(/gateway\s+ws:\/\/localhost:\d+\/events\s+pid (\d+)/);
  const { port, gatewayPort, data } = ports;
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

function environment({ port, gatewayPort, data }: Ports): Record<string, string> {
  return { PORT: String(port), GATEWAY_PORT: String(gatewayPort), DATA_DIR: data };
}

async function put(port: number, id: string): Promise<number> {
  const body = JSON.stringify({ name: 'Ada', email: 'ada@example.com' });
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(`http://localhost:${port}/users/${id}`, { method: 'PUT', headers, body })).status;
}

/** A process that ended and was waited for is not there; one that runs is, and is no zombie. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false;
    throw error;
  }
}
