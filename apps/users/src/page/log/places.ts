import type { LogEntry } from './history.js';

/** The list is newest first, so index 0 is the last shown entry. */
export function entryAt(shown: readonly LogEntry[], index: number): LogEntry | undefined {
  return shown[shown.length - 1 - index];
}

/** The index of the entry with a serial; undefined if it is not shown. */
export function indexOf(shown: readonly LogEntry[], serial: number): number | undefined {
  const index = countAfter(shown, serial);
  return entryAt(shown, index)?.serial === serial ? index : undefined;
}

/** How many entries have a greater serial; serials only grow. */
export function countAfter(shown: readonly LogEntry[], serial: number): number {
  let low = 0;
  let high = shown.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((shown[middle]?.serial ?? 0) <= serial) low = middle + 1;
    else high = middle;
  }
  return shown.length - low;
}
