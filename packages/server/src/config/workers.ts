import { availableParallelism } from 'node:os';

const MOST_WORKERS = 256;

export const NO_WORKERS = `must be a whole number from 1 to ${MOST_WORKERS}, or auto`;

/** Parses a number of worker processes: `4`, or `auto` for as many as the machine can run in parallel. */
export function parseWorkers(text: string): number | undefined {
  const workers = text === 'auto' ? Math.min(availableParallelism(), MOST_WORKERS) : Number(text);
  const isCount = text === 'auto' || /^[1-9]\d{0,2}$/.test(text);
  return isCount && workers <= MOST_WORKERS ? workers : undefined;
}
