/** Those before the payload. */
export const PLACE_COLUMNS = 'offset, fingerprint, exchange, type, source, sequence, topic';

/**
 * The columns of `entry` for a page, in the order of {@link EntryRow}. The payload comes as text, which it is: JSON as it was encoded for
 * the log holds neither a NUL nor a lone surrogate, which the driver would not give back as they are.
 */
export const ENTRY_COLUMNS = `${PLACE_COLUMNS}, CAST(payload AS TEXT)`;

export type EntryRow = readonly [
  offset: number,
  fingerprint: number,
  exchange: number,
  type: number,
  source: number,
  sequence: number | null,
  topic: string,
  payload: string,
];

/** An entry with all that is kept of it: an {@link EntryRow}, then its id, then its attributes, which are null in format 1. */
export const STORED_COLUMNS = `${ENTRY_COLUMNS}, id, attributes`;

/** The two columns of {@link STORED_COLUMNS} that no page has. */
export function toStoredColumns(row: unknown): { readonly id: string; readonly attributes: string | null } {
  if (!Array.isArray(row)) throw new RowError();
  const [id, attributes]: unknown[] = row.slice(-2);
  if (typeof id !== 'string' || (attributes !== null && typeof attributes !== 'string')) throw new RowError();
  return { id, attributes };
}

/** An entry with the payload bytes from the log's birth to where it begins and ends; without its payload where nobody wants that. */
export interface FollowingRow {
  readonly offset: number;
  readonly fingerprint: number;
  readonly isWanted: boolean;
  readonly start: number;
  readonly end: number;
}

/** @param row of an {@link EntryRow}'s columns, then start and end */
export function toFollowingRow(row: unknown): FollowingRow {
  if (!Array.isArray(row)) throw new RowError();
  const [offset, fingerprint, , , , , , payload, start, end]: unknown[] = row;
  const isKnown = typeof offset === 'number' && typeof fingerprint === 'number';
  if (!isKnown || typeof start !== 'number' || typeof end !== 'number') throw new RowError();
  return { offset, fingerprint, isWanted: payload !== null, start, end };
}

/** An entry's place. */
export interface MarkRow {
  readonly offset: number;
  readonly fingerprint: number;
  /** Payload bytes from the log's birth through this entry. */
  readonly bytes: number;
  /** When it was appended, in milliseconds since 1970. */
  readonly time: number;
}

/** A row that is not what the schema says: the file is damaged, or not the one that was opened. */
export class RowError extends Error {
  override readonly name = 'RowError';

  constructor() {
    super('the log holds a row that cannot be read');
  }
}

export function assertEntryRow(row: unknown): asserts row is EntryRow {
  if (!Array.isArray(row)) throw new RowError();
  const [offset, fingerprint, exchange, type, source, sequence, topic, payload]: unknown[] = row;
  const fits =
    typeof offset === 'number' &&
    typeof fingerprint === 'number' &&
    typeof exchange === 'number' &&
    typeof type === 'number' &&
    typeof source === 'number' &&
    (sequence === null || typeof sequence === 'number') &&
    typeof topic === 'string' &&
    typeof payload === 'string';
  if (!fits) throw new RowError();
}

export function assertMarkRow(row: unknown): asserts row is MarkRow {
  const { offset, fingerprint, bytes, time } = columns(row);
  const fits =
    typeof offset === 'number' &&
    typeof fingerprint === 'number' &&
    typeof bytes === 'number' &&
    typeof time === 'number';
  if (!fits) throw new RowError();
}

export function numberIn(row: unknown, column: string): number {
  const value = columns(row)[column];
  if (typeof value !== 'number') throw new RowError();
  return value;
}

export function textIn(row: unknown, column: string): string {
  const value = columns(row)[column];
  if (typeof value !== 'string') throw new RowError();
  return value;
}

export function columns(row: unknown): Record<string, unknown> {
  if (!isRecord(row)) throw new RowError();
  return row;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
