import { valueIn } from '../column.js';
import type { SqliteWriter } from './database.js';

/**
 * SQL for a time in a column that others write too, with whatever they take for one: an integer that JavaScript can hold, the nearest where
 * it is none.
 */
export function timeIn(column: string): string {
  const most = Number.MAX_SAFE_INTEGER;
  return `max(-${most}, min(${most}, CAST(${column} AS INTEGER)))`;
}

/**
 * SQL for a text column that others write too, as bytes for {@link withText}: SQLite does not look whether they are UTF-8, and some drivers
 * end the process over text that is not.
 */
export function bytesIn(db: SqliteWriter, column: string): string {
  const [row] = db.prepare('PRAGMA encoding').all();
  // In other encodings the bytes are others, and those that drivers are given come out of a conversion.
  if (valueIn(row, 'encoding') !== 'UTF-8') return column;
  return `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) END`;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The row with its column `event` as text; undefined if it is none. */
export function withText(row: unknown): { readonly sequence: unknown; readonly event: unknown } {
  const event = valueIn(row, 'event');
  return { sequence: valueIn(row, 'sequence'), event: isBytes(event) ? decode(event) : event };
}

/** As drivers bring them. */
function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer;
}

function decode(bytes: Uint8Array | ArrayBuffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same for people. */
export function shownText(value: unknown): string {
  return isBytes(value) ? new TextDecoder().decode(value) : String(value);
}
