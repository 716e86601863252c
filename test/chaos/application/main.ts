import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { openLog } from 'pregon';
import { EXCHANGE } from '../names.js';
import { Random } from '../random.js';
import { CountingLog } from './counting-log.js';
import { Death } from './death.js';
import { openStore } from './open-store.js';
import { noteCommitted, revoke } from './revocations.js';
import { type ApplicationOrder, type ApplicationReport, type ApplicationSettings, isOrder } from './settings.js';
import { end, transact } from './workload.js';
import { Writers } from './writers.js';

// The application of a run: it writes all the time, runs its relay, answers with snapshots, and is killed again and
// again.
const REPORT_MS = 200;
const AGAIN_MS = 300;

const settings: ApplicationSettings = JSON.parse(process.argv[2] ?? '{}');
const say = (what: unknown): void => console.error(new Date().toISOString(), what);

const death = new Death();
const store = openStore(settings.store, death, say);
await untilItWorks(() => store.migrate());
await untilItWorks(() => noteCommitted(store));
const log = new CountingLog(await untilItWorks(() => openLog(settings.log, { exchanges: [EXCHANGE] })), death);
const relay = store.relay(log, say);
relay.start();

const server = createServer((request, response) => {
  const table = /^\/snapshots\/(accounts|orders)$/.exec(request.url ?? '')?.[1];
  if (table !== 'accounts' && table !== 'orders') return void response.writeHead(204).end();
  store.snapshot(table).then(
    (snapshot) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(snapshot)),
    (error: unknown) => {
      say(error);
      response.writeHead(503).end();
    },
  );
});
server.listen(settings.port, '127.0.0.1');

// The seed includes the pid, so that each process life writes something else.
const writers = new Writers(store, settings.rate, settings.seed ^ process.pid, say);
const random = new Random(settings.seed ^ process.pid, 'revocations');
let atRest = false;
let wroteLast = false;

process.on('message', (message) => {
  if (isOrder(message)) obey(message).catch(say);
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
// Ctrl-C reaches the whole process group; the run ends its parts itself.
process.on('SIGINT', () => undefined);

async function obey(order: ApplicationOrder): Promise<void> {
  switch (order.order) {
    case 'die':
      death.plan(order.place);
      break;
    case 'rest':
      await writers.rest();
      atRest = true;
      break;
    case 'write last':
      await store.transaction(end);
      wroteLast = true;
      break;
    default:
      await revoke(store, order.order, order.user, (tx) => transact(tx, random, store.longestTransactionMs));
  }
}

/** Repeats `start`, because database and broker may be down when the application starts. */
async function untilItWorks<T>(start: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      say(error);
      await delay(AGAIN_MS);
    }
  }
}

async function report(): Promise<void> {
  const pending = await relay.pending();
  const { appendedAgain } = log;
  const resting = atRest && pending === 0;
  const state: ApplicationReport = { pid: process.pid, ...writers.counts, appendedAgain, pending, resting, wroteLast };
  process.send?.(state);
}

setInterval(() => void report().catch(say), REPORT_MS);
