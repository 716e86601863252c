import { RowChunks } from './row-chunks.js';

/** The most time, and the most characters, of encoding in one event loop turn. A single row cannot be interrupted. */
const TURN_MS = 3;
const TURN_CHARACTERS = 262_144;

/** How many rows are encoded between two looks at the clock. */
const ROWS_BETWEEN_LOOKS = 16;

export interface EncodeOptions {
  /** The most bytes of all encoded rows together. */
  readonly maxBytes: number;
  /** The time in milliseconds, of a monotonic clock. */
  readonly now: () => number;
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * Encodes the rows of a snapshot, for a few milliseconds in each event loop turn: a client that asks for a large
 * snapshot must not delay other clients.
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
  // The application may change its array in the meantime.
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
