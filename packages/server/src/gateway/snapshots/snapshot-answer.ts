import { elementsOf, splitMember, withoutBlanks } from '@pregon/protocol';
import { decodeUtf8 } from '../../core/json-input.js';
import { RowChunks } from '../../core/snapshots/row-chunks.js';
import type { ChunkedSnapshot } from '../../core/snapshots/snapshot.js';

/** The members of a snapshot other than its rows. */
type Metadata = Omit<ChunkedSnapshot, 'chunks'>;

/**
 * Reads the JSON of an application's snapshot: `{ rows, sequence, source?, relayed? }`. The text of each row is passed
 * on without the white space between its tokens, so numbers keep all their digits.
 *
 * @throws SyntaxError | TypeError that says what is wrong
 * @throws PregonError SNAPSHOT_UNAVAILABLE if the rows have more than `maxBytes` characters
 */
export function readAnswer(bytes: Uint8Array, maxBytes: number): ChunkedSnapshot {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new TypeError('it is not UTF-8');
  const metadata = parseMetadata(JSON.parse(text));
  const chunks = new RowChunks(maxBytes);
  for (const row of elementsOf(rowsIn(text))) chunks.addText(withoutBlanks(row));
  return { ...metadata, chunks: chunks.end() };
}

/** Checked by hand: users of this package need not load a schema library for four members. */
function parseMetadata(answer: unknown): Metadata {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new TypeError('it is not an object');
  const member = (name: string): unknown => Reflect.get(answer, name);
  if (!Array.isArray(member('rows'))) throw new TypeError('rows: it must be an array');
  const sequence = numberIn('sequence', member('sequence'));
  const [source, relayed] = [member('source'), member('relayed')];
  if (source !== undefined && typeof source !== 'string') throw new TypeError('source: it must be a string');
  return {
    sequence,
    ...(source === undefined ? {} : { source }),
    ...(relayed === undefined ? {} : { relayed: numberIn('relayed', relayed) }),
  };
}

function numberIn(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`${name}: it must be a whole number, 0 or more`);
}

function rowsIn(text: string): string {
  const found = elementsOf(text)
    .map(splitMember)
    .filter(([key]) => JSON.parse(key) === 'rows');
  const [rows] = found;
  if (rows === undefined || found.length > 1) throw new TypeError('the member "rows" occurs twice');
  return rows[1];
}
