import { RowChunks } from './row-chunks.js';

/** How long, and how much, is encoded in one turn of the event loop. A single row cannot be interrupted. */
const TURN_MS = 3;
const TURN_CHARACTERS = 262_144;

/** How many rows are encoded before the time is looked at. */
const ROWS_BETWEEN_LOOKS = 16;

export interface EncodeOptions {
  /** The most bytes of all rows together. */
  readonly maxBytes: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * Encodes the rows of a snapshot, a few milliseconds in each turn of the event loop: one client that asks for a large snapshot must not
 * hold up the others.
 *
 * @throws PregonError SNAPSHOT_UNAVAILABLE if the snapshot is too large
 */
export async function encodeRows(
  rows: readonly unknown[],
  { maxBytes, now, nextTurn }: EncodeOptions,
): Promise<readonly string[]> {
  const chunks = new RowChunks(maxBytes);
  let ends = now() + TURN_MS;
  let enough = TURN_CHARACTERS;
  // The application may go on with its array meanwhile.
  const all = rows.slice();
  for (let at = 0; at < all.length; at++) {
    chunks.add(all[at]);
    const isTimeUp = at % ROWS_BETWEEN_LOOKS === 0 && now() >= ends;
    if (!isTimeUp && chunks.characters < enough) continue;
    await new Promise<void>((resolve) => nextTurn(resolve));
    ends = now() + TURN_MS;
    enough = chunks.characters + TURN_CHARACTERS;
  }
  return chunks.end();
}
