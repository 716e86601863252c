/** Counts by key. */
export type Entries = readonly (readonly [key: string, count: number])[];

/** Connections that are open at one time. */
export interface OpenCounts {
  readonly addresses: Entries;
  readonly identities: Entries;
}

/** What one process counts, or several other processes together. Keys that are left out have small counts. */
export interface Counts {
  /** Replaces all earlier ones. Undefined: they have not changed. */
  readonly open?: OpenCounts | undefined;
  /** New connections since the last message, by address. */
  readonly handshakes: Entries;
  /** Refused tokens since the last message, by address. */
  readonly failures: Entries;
}

/** The longest key, in UTF-16 code units. */
export const MAX_KEY_LENGTH = 64;

/** The most entries of a list. With four lists of the longest keys, a message takes some 100 KB. */
export const MOST_ENTRIES = 500;

/** How often a process reports its counts, and how often it is told those of the others, if there are any. */
export const PERIOD_MS = 500;

/** After so much silence, the counts of a process are left out, because they may have become wrong. */
export const STALE_MS = 5_000;

/** The entries with the largest counts, at most {@link MOST_ENTRIES}, in linear time. */
export function largest(counts: ReadonlyMap<string, number>): Entries {
  if (counts.size <= MOST_ENTRIES) return [...counts];
  const keysPerCount = new Map<number, number>();
  for (const count of counts.values()) keysPerCount.set(count, (keysPerCount.get(count) ?? 0) + 1);
  let room = MOST_ENTRIES;
  let least = Number.POSITIVE_INFINITY;
  for (const [count, keys] of [...keysPerCount].sort(([a], [b]) => b - a)) {
    if (keys > room) break;
    room -= keys;
    least = count;
  }
  const found = [...counts].filter(([, count]) => count >= least);
  if (room === 0) return found;
  // The next smaller count has more keys than there is room for.
  const next = [...keysPerCount.keys()].reduce((most, count) => (count < least ? Math.max(most, count) : most), 0);
  for (const [key, count] of counts) {
    if (found.length === MOST_ENTRIES) break;
    if (count === next) found.push([key, count]);
  }
  return found;
}
