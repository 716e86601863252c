import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../../chaos/random.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { openTestLog } from '../../support/gateway/gateway.js';
import { freePort } from '../../support/ports.js';
import { PREGON } from '../../support/processes.js';
import { Session } from '../session.js';
import { frame } from '../values/frame.js';
import { openWebSocket } from '../values/handshake.js';
import type { Target } from './target.js';
import { WatchedProcess } from './watched-process.js';

const HANDLERS = fileURLToPath(new URL('handlers.mjs', import.meta.url));
const APPLICATION = fileURLToPath(new URL('attached-application.mjs', import.meta.url));
const TOKEN = 'the-token-of-the-fuzzer';
const PATHS = { events: '/events', zip: '/zip', chat: '/chat', rows: '/rows' };

/** Events that the log already holds, to be replayed. */
const PAST_EVENTS = 2_000;

/** How long a stop waits for clients: those by long polling that never poll again are waited for as long as that. */
const DRAIN_MS = 1_000;

export interface Started {
  readonly target: Target;
  readonly process: WatchedProcess;
}

/** Starts `pregon run` as operators do, with every feature that it can serve. */
export async function startRun(workers: number): Promise<Started> {
  const cwd = temporaryFolder();
  const httpPort = await freePort();
  writeFileSync(join(cwd, 'pregon.yml'), configuration(await startSnapshots(), httpPort));
  const log = await pastLog(join(cwd, 'log.db'));
  const probeFolder = makeProbeFolder(cwd);
  const line = ['run', '127.0.0.1:0', `--workers=${workers}`, `--drain-ms=${DRAIN_MS}`];
  const { process, said } = await WatchedProcess.start([PREGON, ...line], {
    cwd,
    probeFolder,
    listening: /listens on 127\.0\.0\.1:(\d+) [\s\S]* {2}http /,
  });
  const pids = workers === 1 ? [process.pid] : process.children;
  const name = workers === 1 ? 'pregon run' : `pregon run --workers=${workers}`;
  const http = { port: httpPort, token: TOKEN };
  return started(process, { name, port: Number(said[1]), log, paths: PATHS, http, pids, probeFolder });
}

/** Starts an application whose server also serves a gateway and components. */
export async function startAttached(): Promise<Started> {
  const cwd = temporaryFolder();
  const log = await pastLog(join(cwd, 'log.db'));
  const probeFolder = makeProbeFolder(cwd);
  const options = JSON.stringify({ log, snapshot: await startSnapshots() });
  const { process, said } = await WatchedProcess.start([APPLICATION, options], {
    cwd,
    probeFolder,
    listening: /listens on 127\.0\.0\.1:(\d+) /,
  });
  const paths = { ...PATHS, component: '/component/room', application: '/app' };
  return started(process, {
    name: 'an application',
    port: Number(said[1]),
    log,
    paths,
    pids: [process.pid],
    probeFolder,
  });
}

async function started(process: WatchedProcess, facts: Omit<Target, 'faults' | 'positions'>): Promise<Started> {
  const positions: string[] = [];
  const target = { ...facts, positions, faults: process.faults };
  positions.push(...(await somePositions(target)));
  await loadSocketIo(target);
  return { target, process };
}

/** Each process loads Socket.IO for its first client, which takes about 80 ms once. The test does not measure that. */
async function loadSocketIo(target: Target): Promise<void> {
  const session = new Session(0, new Random(0, 'Socket.IO'), target);
  for (let client = 0; client < 8 * target.pids.length; client++) {
    const wire = await session.connect();
    wire.write('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await wire.until('"sid":"', 5_000);
  }
  session.end();
}

/** Positions from the beginning of the log, as a client receives them. */
async function somePositions(target: Target): Promise<string[]> {
  const session = new Session(0, new Random(0, 'positions'), target);
  const wire = await openWebSocket(session, target.paths.events, { protocol: 'pregon.v1' });
  wire?.write(frame(session.random, '{"op":"subscribe","id":1,"since":"first"}'));
  await wire?.until('"position":', 5_000);
  const found = [...(wire?.text ?? '').matchAll(/"position":"([^"]+)"/g)].map(([, position = '']) => position);
  session.end();
  if (found.length === 0) throw new Error('the gateway sent no position');
  return found.slice(0, 50);
}

async function pastLog(file: string): Promise<string> {
  const log = await openTestLog(file);
  const events = Array.from({ length: PAST_EVENTS }, (_, n) => ({
    specversion: '1.0' as const,
    id: `past-${n}`,
    source: '/past',
    type: 'HasBeen',
    topic: `fuzz.${n % 50}.a`,
    exchange: 'fuzz',
    data: { n, text: 'x'.repeat(100) },
  }));
  for (let at = 0; at < events.length; at += 500) await log.append(events.slice(at, at + 500));
  return `sqlite:${file}`;
}

function makeProbeFolder(cwd: string): string {
  const folder = join(cwd, 'probe');
  mkdirSync(folder);
  return folder;
}

/** The snapshot endpoint of the application: a few rows, without a sequence to match. */
async function startSnapshots(): Promise<string> {
  const rows = Array.from({ length: 200 }, (_, id) => ({ id, name: `row ${id}` }));
  const body = JSON.stringify({ rows, sequence: 0, source: '/shop', relayed: 0 });
  const server = createServer((_, response) => void response.setHeader('Content-Type', 'application/json').end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return `http://127.0.0.1:${address.port}/snapshots/rows`;
}

function configuration(snapshot: string, httpPort: number): string {
  return `
log: sqlite:log.db
access: public
exchanges: [healthy, fuzz]
http: { port: ${httpPort}, token: ${TOKEN} }
socketIo: { connectTimeout: 2000 }
websocket:
  handshakeTimeoutMs: 2000
  routes:
    events: { path: ${PATHS.events} }
    zip: { path: ${PATHS.zip}, compression: true }
    chat: { path: ${PATHS.chat}, broadcast: true }
    rows: { path: ${PATHS.rows}, snapshot: '${snapshot}', handlers: ['${HANDLERS}'] }
`;
}
