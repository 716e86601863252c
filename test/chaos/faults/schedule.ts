import type { Random } from '../random.js';
import type { Fault, FaultChoice } from './fault.js';

/** Gives 22 faults per minute. */
const MEAN_INTERVAL_MS = 2_700;

/**
 * The faults of a run: one in each interval, at a random instant of it. The same seed gives the same schedule, whatever
 * happens in the run.
 */
export function scheduleFaults(choices: readonly FaultChoice[], durationMs: number, random: Random): Fault[] {
  const busyUntil = new Map<string, number>();
  const faults: Fault[] = [];
  for (let slot = 0; (slot + 1) * MEAN_INTERVAL_MS <= durationMs; slot++) {
    const atMs = Math.round((slot + random.fraction()) * MEAN_INTERVAL_MS);
    const free = choices.filter(({ target }) => (busyUntil.get(target) ?? 0) <= atMs);
    if (free.length === 0) continue;
    const { kind, target, durationMs: span, recoveryMs } = random.weighted(free);
    const lastsMs = random.duration(...span);
    busyUntil.set(target, atMs + lastsMs + recoveryMs);
    faults.push({ atMs, kind, target, durationMs: lastsMs });
  }
  return faults;
}
