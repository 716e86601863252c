import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of all threads of another process, in microseconds. Linux counts nanoseconds. */
export function cpuMicros(pid: number): number {
  const nanos = readdirSync(`/proc/${pid}/task`).map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanos.reduce((total, value) => total + value, 0) / 1_000;
}
