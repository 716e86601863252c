import { existsSync, readFileSync } from 'node:fs';
import { answer } from '../processes/answer.js';
import { cpuMicros } from '../processes/cpu.js';
import { startGateway } from '../processes/gateway-process.js';
import { numberOf, textOf } from '../processes/messages.js';
import type { ServerProcess } from '../processes/server-process.js';

let gateway: ServerProcess | undefined;

/** Runs `pregon run` with the given number of workers, and measures all its processes as Linux counts them. */
answer({
  async listen(fields) {
    const started = await startGateway({
      folder: textOf(fields, 'folder'),
      log: textOf(fields, 'log'),
      exchange: 'bench',
      execArgv: [],
      workers: numberOf(fields, 'workers'),
    });
    gateway = started.server;
    return { port: started.port };
  },
  cpu() {
    const micros = pids().map(cpuMicros);
    return { cpuMicros: sum(micros), micros, writes: sum(pids().map(writes)) };
  },
});

// Workers end with their primary.
process.on('exit', () => gateway?.kill());

/** The started process, then its children. */
function pids(): number[] {
  const pid = gateway?.pid ?? 0;
  const children = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(children)) throw new Error('CPU time is read from /proc: run this benchmark on Linux');
  return [pid, ...readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number)];
}

function writes(pid: number): number {
  return Number(/syscw: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
