import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Appended } from './healthy-client.js';

export interface Turn {
  /** The end of the turn, in milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
}

/** The delays that the gateway's own CPU time caused the healthy client. */
export interface Delays {
  readonly events: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Turns over 20 ms of CPU time, the longest first. Several clients may have caused each. */
  readonly longTurns: readonly Turn[];
}

/**
 * Calculates the delay of each event that the gateway's CPU time caused. It is the CPU time of the gateway's main
 * thread between two moments: the resolved append (read by the process that appends) and the write to the healthy
 * client's socket (read by the probe in the gateway).
 *
 * Both are the kernel's count of CPU time, so time in which the machine ran something else is not included. The result
 * errs on the high side: it includes the work for the event itself, and work for others that was done first without
 * delaying the event.
 *
 * @param folder where the probes wrote, see targets/delivery-probe.mjs
 * @param since the start of the input, in milliseconds since 1970; turns before it belong to the start of the gateway
 */
export function delaysOf(appended: readonly Appended[], folder: string, since: number): Delays {
  const written = new Map<number, { pid: number; cpuMs: number }>();
  const longTurns: Turn[] = [];
  for (const file of readdirSync(folder)) {
    const pid = Number.parseInt(file, 10);
    for (const line of readFileSync(join(folder, file), 'latin1').split('\n')) {
      const [what, first, second] = line.split(' ');
      if (what === 'written') written.set(Number(first), { pid, cpuMs: Number(second) });
      if (what === 'turn' && Number(first) > since) longTurns.push({ at: Number(first), ms: Number(second) });
    }
  }
  const delays = appended.map(({ number, cpuMs }) => {
    const end = written.get(number);
    const begin = cpuMs.find(([pid]) => pid === end?.pid)?.[1];
    if (end === undefined || begin === undefined) throw new Error(`no probe saw event ${number}`);
    // The event may have been written before the appending process read the count.
    return Math.max(0, end.cpuMs - begin);
  });
  delays.sort((a, b) => a - b);
  const quantile = (q: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * q))] ?? 0;
  longTurns.sort((a, b) => b.ms - a.ms);
  return {
    events: delays.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    worst: delays.at(-1) ?? 0,
    longTurns,
  };
}
