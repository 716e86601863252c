import type { CommittedEvent } from './truth.js';

/** The order in which all followers must have received, and what is wrong with it by itself. */
export interface AgreedOrder {
  readonly events: readonly CommittedEvent[];
  /** Versions of a row that come in another order than they were made. */
  readonly reordered: readonly string[];
}

/**
 * Puts what was committed in the order of the sequences that it was delivered with. What nobody received has none and comes
 * last, so that everybody is found to have lost it.
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
