import { valueIn } from '../column.js';
import type { SqliteWriter } from './database.js';

/**
 * Returns SQL that reads a time from a column to which other programs may write any value: the nearest integer that
 * JavaScript can represent.
 */
export function timeIn(column: string): string {
  const most = Number.MAX_SAFE_INTEGER;
  return `max(-${most}, min(${most}, CAST(${column} AS INTEGER)))`;
}

/**
 * Returns SQL that reads a text column as bytes, for {@link withText}. Other programs may write the column, SQLite does
 * not check that text is UTF-8, and some drivers end the process over invalid text.
 */
export function bytesIn(db: SqliteWriter, column: string): string {
  const [row] = db.prepare('PRAGMA encoding').all();
  // In other encodings the stored bytes differ, and SQLite converts the text before drivers get it.
  if (valueIn(row, 'encoding') !== 'UTF-8') return column;
  return `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) END`;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns the row with its column `event` as text; undefined if the column is not valid text. */
export function withText(row: unknown): { readonly sequence: unknown; readonly event: unknown } {
  const event = valueIn(row, 'event');
  return { sequence: valueIn(row, 'sequence'), event: isBytes(event) ? decode(event) : event };
}

/** Drivers return bytes in one of these types. */
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

/** Formats the value for people. */
export function shownText(value: unknown): string {
  return isBytes(value) ? new TextDecoder().decode(value) : String(value);
}
