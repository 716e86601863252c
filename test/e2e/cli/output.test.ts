import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { temporaryFolder } from '../../support/cleanup.js';
import { freePort } from '../../support/ports.js';
import { PREGON, pregon, startPregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

/** Fills more than the pipe (64 KiB) and the buffer before it (1 MiB). */
const NOISE_LINES = 3_000;

const NOISY_HANDLERS = `export default ({ logger }) => ({
  opened() {
    for (let n = 0; n < ${NOISE_LINES}; n++) logger.info({ n, pad: 'x'.repeat(1000) }, 'noise');
  },
});`;

const NOISY_CONFIGURATION = `
exchanges: [my_events]
log: sqlite:log.db
websocket: { routes: { events: { path: /events }, noise: { path: /noise, handlers: [./noise.mjs] } } }
`;

interface NoisyGateway {
  readonly url: string;
  readonly cwd: string;
  readonly pid: number;
  /** Reads the past and the future output of the pipe. */
  drain(): { readonly lines: () => string[] };
  readonly exited: Promise<unknown>;
}

/** Starts a gateway whose standard output is a pipe that nothing reads yet. */
async function startUnread(flags: readonly string[]): Promise<NoisyGateway> {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'noise.mjs'), NOISY_HANDLERS);
  writeFileSync(join(cwd, 'pregon.yml'), NOISY_CONFIGURATION);
  const fifo = join(cwd, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  const port = await freePort();
  const child = spawn(process.execPath, [PREGON, 'run', `127.0.0.1:${port}`, ...flags], {
    cwd,
    stdio: ['ignore', writer, 'inherit'],
  });
  closeSync(writer);
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const url = `ws://127.0.0.1:${port}`;
  await eventually(
    () => isServed(port),
    (served) => served,
  );
  return { url, cwd, pid: child.pid ?? 0, drain: () => drain(reader), exited };
}

function drain(fd: number) {
  let text = '';
  const socket = new Socket({ fd, readable: true, writable: false });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return { lines: () => text.split('\n').slice(0, -1) };
}

function isServed(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/events`).then(
    () => true,
    () => false,
  );
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

async function expectDelivery({ url, cwd }: Pick<NoisyGateway, 'url' | 'cwd'>): Promise<void> {
  const socket = await open(`${url}/events`);
  const delivered = once(socket, 'message');
  const published = await pregon(['publish', 'my_events', 'a.b', '1', '--type=T', '--log=sqlite:log.db'], { cwd });
  expect(published.code).toBe(0);
  await delivered;
}

describe('A log output that is not read', () => {
  it.each([
    ['one process', []],
    ['workers', ['--workers=2']],
  ])(
    '[fault A4] does not stop a gateway that logs JSON (%s): whole lines stay in order, the rest is dropped and counted',
    async (_, flags) => {
      const gateway = await startUnread(['--log-format=json', ...flags]);
      await open(`${gateway.url}/noise`);
      await expectDelivery(gateway);
      const log = gateway.drain();
      const entries = () => log.lines().map((line) => JSON.parse(line));
      const dropped = await eventually(
        () => entries().find(({ msg }) => msg.startsWith('log lines dropped: ')),
        (line) => line !== undefined,
      );
      const noise = entries().filter(({ msg }) => msg === 'noise');
      expect(noise.map(({ n }) => n)).toEqual(noise.map((_line, index) => index));
      expect(noise.length).toBeGreaterThan(500);
      expect(dropped.dropped).toBeGreaterThanOrEqual(NOISE_LINES - noise.length);
    },
  );

  it('[fault A4] does not stop a gateway that logs text, which ends when it is told to', async () => {
    const gateway = await startUnread([]);
    await open(`${gateway.url}/noise`);
    await expectDelivery(gateway);
    process.kill(gateway.pid, 'SIGTERM');
    expect(await gateway.exited).toEqual([0, null]);
  });

  it('[fault A4] gets a line that is too long for a pipe in a shortened form, which is still JSON', async () => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'noise.mjs'),
      `export default ({ logger }) => { logger.info({ pad: '\\u20ac'.repeat(50000), list: Array(9000).fill(1) }, 'long'); return {}; };`,
    );
    writeFileSync(join(cwd, 'pregon.yml'), NOISY_CONFIGURATION);
    const gateway = startPregon(['run', '127.0.0.1:0', '--log-format=json'], { cwd });
    const [line = ''] = await gateway.until(/.*"long".*\n/);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(4_096);
    expect(JSON.parse(line)).toMatchObject({ msg: 'long', pad: expect.stringMatching(/^€+…$/) });
  });
});

/** Runs the command line in a shell, with redirections. */
function shell(command: string, cwd: string): Promise<{ code: number; stderr: string }> {
  const child = spawn('bash', ['-c', command.replaceAll('PREGON', `'${process.execPath}' '${PREGON}'`)], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, stderr })));
}

const LOG = '--log=sqlite:log.db';

describe('An output that cannot be written', () => {
  it('[fault A5] makes a command say so in one line and exit with 1, after it has done its work', async () => {
    const cwd = temporaryFolder();
    const published = await shell(`PREGON publish my_events a.b 1 --type=T ${LOG} > /dev/full`, cwd);
    expect(published).toEqual({ code: 1, stderr: expect.stringMatching(/^pregon: standard output .*ENOSPC.*\n$/) });
    for (const command of ['--version', 'help run', `log info ${LOG}`, `tail my_events --since=first ${LOG}`]) {
      const told = await shell(`PREGON ${command} > /dev/full`, cwd);
      expect(told, command).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^pregon: standard output .*ENOSPC.*\n$/),
      });
    }
    const stored = await pregon(['tail', 'my_events', '--since=first', '--limit=1', LOG], { cwd });
    expect(stored.stdout).toMatch(/^\{.*"topic":"a\.b".*\}\n$/);
  });

  it('[fault A5] ends no process if a stream is closed or broken', async () => {
    const cwd = temporaryFolder();
    expect(await shell('PREGON --version >&-', cwd)).toMatchObject({ stderr: '' });
    expect(await shell('PREGON --version 2>&-', cwd)).toMatchObject({ code: 0 });
    expect(await shell('PREGON wrong 2> /dev/full', cwd)).toMatchObject({ code: 2 });
    expect(await shell('set -o pipefail; PREGON help run | true', cwd)).toEqual({ code: 0, stderr: '' });
    const lines = `seq 1 2000 | PREGON publish my_events a.b --type=T ${LOG} 2> >(true) > >(true); sleep 0.1`;
    expect(await shell(lines, cwd)).toMatchObject({ code: 0 });
    const stored = await pregon(['log', 'info', '--json', LOG], { cwd });
    expect(JSON.parse(stored.stdout)).toMatchObject({ events: 2_000 });
  });

  it.each([
    ['standard output', '> /dev/full', ''],
    ['standard output, JSON', '> /dev/full', '--log-format=json'],
    ['standard error', '2> /dev/full > /dev/null', ''],
    ['standard output of workers', '> /dev/full', '--workers=2'],
  ])('[fault A5] does not stop a gateway if the disk of its %s is full', async (_, redirection, flags) => {
    const cwd = temporaryFolder();
    const port = await freePort();
    const command = `run 127.0.0.1:${port} --route=events --exchange=my_events ${LOG} ${flags}`;
    const child = spawn('bash', ['-c', `exec '${process.execPath}' '${PREGON}' ${command} ${redirection}`], { cwd });
    const exited = once(child, 'exit');
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    await eventually(
      () => isServed(port),
      (served) => served,
    );
    await expectDelivery({ url: `ws://127.0.0.1:${port}`, cwd });
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
