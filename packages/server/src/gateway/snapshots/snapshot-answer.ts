import { elementsOf, splitMember, withoutBlanks } from '@pregon/protocol';
import { z } from 'zod';
import { decodeUtf8 } from '../../core/json-input.js';
import { RowChunks } from '../../core/snapshots/row-chunks.js';
import type { ChunkedSnapshot } from '../../core/snapshots/snapshot.js';

const answer = z.object({
  rows: z.array(z.unknown()),
  sequence: z.number().int().nonnegative(),
  source: z.string().optional(),
  relayed: z.number().int().nonnegative().optional(),
});

/**
 * Reads the JSON of an application's snapshot: `{ rows, sequence, source?, relayed? }`. The text of each row is passed on without the white
 * space between its tokens: numbers keep all their digits.
 *
 * @throws SyntaxError | TypeError, which say what is wrong with it
 * @throws PregonError SNAPSHOT_UNAVAILABLE if the rows have more than `maxBytes` characters
 */
export function readAnswer(bytes: Uint8Array, maxBytes: number): ChunkedSnapshot {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new TypeError('it is not UTF-8');
  const parsed = answer.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.length ? `${issue.path.map(String).join('.')}: ` : '';
    throw new TypeError(`${where}${issue?.message}`);
  }
  const { sequence, source, relayed } = parsed.data;
  const chunks = new RowChunks(maxBytes);
  for (const row of elementsOf(rowsIn(text))) chunks.addText(withoutBlanks(row));
  return {
    sequence,
    ...(source === undefined ? {} : { source }),
    ...(relayed === undefined ? {} : { relayed }),
    chunks: chunks.end(),
  };
}

function rowsIn(text: string): string {
  const found = elementsOf(text)
    .map(splitMember)
    .filter(([key]) => JSON.parse(key) === 'rows');
  const [rows] = found;
  if (rows === undefined || found.length > 1) throw new TypeError('the member "rows" is there twice');
  return rows[1];
}
