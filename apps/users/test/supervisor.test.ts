import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProcessPlan } from '../src/supervisor/processes.js';
import { supervise } from '../src/supervisor/supervise.js';

const LISTENS = `
  require('net').createServer().listen(Number(process.argv[2]), '127.0.0.1', () => console.log('up'));
  process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
`;
const LISTENS_LATE = `setTimeout(() => { ${LISTENS} }, 600);`;
const WAITS = `console.log('waits'); setInterval(() => {}, 1000);`;
const FAILS = `console.error('cannot'); process.exit(3);`;

describe('the supervisor', () => {
  it('starts both processes, prints their addresses, and ends both when it is stopped', async () => {
    const run = await start([LISTENS, LISTENS]);
    await run.until('Try it');
    expect(run.text()).toMatch(/application +http:\/\/app.*pid \d+\n.*gateway +http:\/\/gateway/);
    run.stop();
    expect(await run.code).toBe(0);
    expect(run.text()).toMatch('app     │ bye');
    expect(run.text()).toMatch('gateway │ bye');
    expect(run.pids().map(isRunning)).toEqual([false, false]);
  });

  it('reports a killed process and how to start it again, and keeps the other running', async () => {
    const run = await start([LISTENS, LISTENS]);
    await run.until('Try it');
    const [application = 0, gateway = 0] = run.pids();
    process.kill(gateway, 'SIGKILL');
    await run.until('PORT=1 npm run gateway\n', 2);
    expect(run.text()).toMatch(`The gateway (pid ${gateway}) ended: signal SIGKILL. It goes on.`);
    expect(isRunning(application)).toBe(true);
    process.kill(application, 'SIGKILL');
    expect(await run.code).toBe(1);
  });

  it('exits with 1 if one process cannot be started, and ends the other', async () => {
    const run = await start([LISTENS, FAILS]);
    expect(await run.code).toBe(1);
    expect(run.text()).toMatch('gateway │ cannot');
    expect(run.text()).toMatch('The gateway ended before all were ready (code 3).');
    expect(run.text()).not.toMatch('Try it');
  });

  it('waits for a process that waits for a dependency, and says so', async () => {
    const run = await start([LISTENS, LISTENS_LATE], { patienceMs: 100 });
    await run.until('  Still waiting for the gateway. Ctrl-C ends it.');
    expect(run.text()).not.toMatch('Try it');
    await run.until('Try it');
    const waits = run.text().split('Still waiting').length;
    run.stop();
    expect(await run.code).toBe(0);
    expect(run.text().split('Still waiting').length).toBe(waits);
  });

  it('exits with 0 if it is stopped while a process still waits', async () => {
    const run = await start([LISTENS, WAITS]);
    await run.until('gateway │ waits');
    run.stop();
    expect(await run.code).toBe(0);
  });

  it('prints which database and log the processes use', async () => {
    const run = await start([LISTENS, LISTENS]);
    await run.until('Try it');
    expect(run.text()).toMatch(/^ {2}database +postgres:\/\/db$/m);
    run.stop();
    await run.code;
  });

  it('starts nothing if a port is in use, and names the variable', async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void busy.close());
    const run = await start([LISTENS, LISTENS], { ports: [await freePort(), portOf(busy)] });
    await expect(run.code).rejects.toThrow(
      `Port ${portOf(busy)} of 127.0.0.1 is in use. Choose another port: GATEWAY_PORT=`,
    );
    expect(run.text()).toBe('');
  });
});

async function start(
  scripts: readonly [string, string],
  { ports, patienceMs }: { ports?: readonly [number, number]; patienceMs?: number } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'pregon-supervisor-'));
  const [applicationPort, gatewayPort] = ports ?? [await freePort(), await freePort()];
  const plan = (name: 'app' | 'gateway', title: string, port: number, script: string): ProcessPlan => {
    const file = join(folder, `${name}.cjs`);
    writeFileSync(file, script);
    const variable = name === 'app' ? 'PORT' : 'GATEWAY_PORT';
    return { name, title, port, variable, argv: [file, String(port)], url: `http://${name}`, meanwhile: 'It goes on.' };
  };
  const plans = [
    plan('app', 'application', applicationPort, scripts[0]),
    plan('gateway', 'gateway', gatewayPort, scripts[1]),
  ];
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const print = (line: string) => {
    lines.push(`${line}\n`);
    for (const look of waiting) look();
  };
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const uses = { database: 'postgres://db' };
  const options = { host: '127.0.0.1', cwd: folder, typed: 'PORT=1 ', uses, print, stopped };
  const code = supervise(plans, { ...options, ...(patienceMs === undefined ? {} : { patienceMs }) });
  onTestFinished(async () => {
    stop();
    await Promise.allSettled([code]);
    rmSync(folder, { recursive: true, force: true });
  });
  const text = () => lines.join('');
  return {
    code,
    stop,
    text,
    pids: () => [...text().matchAll(/ pid (\d+)\n/g)].map(([, pid]) => Number(pid)),
    /** Resolves when the text was printed `times` times. */
    until: (part: string, times = 1) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (text().split(part).length > times) resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
