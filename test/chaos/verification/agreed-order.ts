import type { CommittedEvent } from './truth.js';

/** The order in which all followers must have received the events, and the faults of this order itself. */
export interface AgreedOrder {
  readonly events: readonly CommittedEvent[];
  /** Versions of a row that come in another order than they were made. */
  readonly reordered: readonly string[];
}

/**
 * Puts the committed events in the order of their delivered sequences. An event that no follower received has no
 * sequence and comes last, so it counts as lost for every follower.
 */
export function agreedOrder(committed: readonly CommittedEvent[], sequences: ReadonlyMap<string, string>): AgreedOrder {
  const events = committed
    .map((event, n) => ({ event, n, sequence: sequences.get(event.id) }))
    .sort((a, b) => compare(a.sequence, b.sequence) || a.n - b.n)
    .map(({ event }) => event);
  const versions = new Map<string, number>();
  const reordered: string[] = [];
  for (const { id, row, version } of events) {
    const before = versions.get(row) ?? 0;
    if (version !== before + 1 && sequences.has(id)) {
      reordered.push(
        `${id} (sequence ${sequences.get(id)}) makes version ${version} of ${row} after version ${before}`,
      );
    }
    versions.set(row, version);
  }
  return { events, reordered };
}

function compare(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}
