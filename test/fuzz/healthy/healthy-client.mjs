// The healthy client, in its own process: healthy-client.mjs <JSON: { port, path, log, exchange, pids, everyMs }>
// It appends a numbered event every `everyMs` and follows these events over a plain WebSocket. After each append it
// reads how much CPU time the main threads of the gateway have consumed so far. On `stop` it waits for the pending
// events and reports.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openLog } from 'pregon';
import { WebSocket } from 'ws';

const { port, path, log: url, exchange, pids, everyMs } = JSON.parse(process.argv[2]);

/** See delivery-probe.mjs. */
const HEALTHY_ADDRESS = '127.0.0.77';
const PATIENCE_MS = 30_000;

const log = await openLog(url, { exchanges: [exchange] });
const socket = new WebSocket(`ws://127.0.0.1:${port}${path}?topics=steady.%23`, { localAddress: HEALTHY_ADDRESS });
const faults = [];
const appended = [];
let received = 0;
let stopping = false;

socket.on('message', (data) => {
  const { id } = JSON.parse(data);
  if (id !== `healthy-${received + 1}`) faults.push(`got ${id} after healthy-${received}`);
  received += 1;
});
socket.on('error', (error) => faults.push(`the connection failed: ${error.message}`));
socket.on('close', (code) => !stopping && faults.push(`the connection was closed with ${code}`));
await new Promise((resolve) => socket.once('open', resolve));

function cpuMs(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ', 1)[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

async function append(number) {
  const event = {
    specversion: '1.0',
    id: `healthy-${number}`,
    source: '/healthy',
    type: 'Beat',
    // A topic that no generated input has.
    topic: 'steady.beat',
    exchange,
    data: { number },
  };
  await log.append([event]);
  appended.push({ number, cpuMs: pids.map((pid) => [pid, cpuMs(pid)]) });
}

process.on('message', () => {
  stopping = true;
});
process.send('ready');
for (let number = 1; !stopping; number++) {
  const due = performance.now() + everyMs;
  await append(number);
  await delay(Math.max(1, due - performance.now()));
}
const deadline = performance.now() + PATIENCE_MS;
while (received < appended.length && faults.length === 0 && performance.now() < deadline) await delay(20);
if (received !== appended.length) faults.push(`${received} events arrived, but ${appended.length} were appended`);
process.send({ appended, faults }, () => process.exit());
