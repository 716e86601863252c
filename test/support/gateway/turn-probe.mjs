// Measures how much CPU time the main thread spends in one turn of the event loop, by the kernel's count. A busy
// machine makes a turn longer by the clock, but not by this count. A timer of 1 ms fires once in each longer turn. So
// the time between two firings is at least the longest turn, and exceeds it by less than 2 ms. See proc_pid_schedstat
// in the kernel's Documentation/scheduler/sched-stats.rst: the first figure is nanoseconds on the CPU.
import { openSync, readSync } from 'node:fs';

const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
const text = Buffer.alloc(64);

/**
 * CPU time of the main thread of this process so far, in milliseconds. The kernel updates the figure at each tick,
 * every 1 to 4 ms.
 */
export function mainThreadCpuMs() {
  const length = readSync(file, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, length).split(' ', 1)[0]) / 1e6;
}

let last = mainThreadCpuMs();
let longest = 0;
/** @type {((ms: number) => void) | undefined} */
let onTurn;

setInterval(() => {
  const now = mainThreadCpuMs();
  const turn = now - last;
  longest = Math.max(longest, turn);
  last = now;
  onTurn?.(turn);
}, 1).unref();

/**
 * The longest turn since the last call, in milliseconds of the main thread's CPU time. Each call starts a new
 * measurement.
 */
export function longestTurnMs() {
  const measured = longest;
  longest = 0;
  return measured;
}

/** Calls `listener` after each turn of the event loop that took longer than about a millisecond. */
export function watchTurns(listener) {
  onTurn = listener;
}
