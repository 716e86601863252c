/** The columns before the payload. */
export const PLACE_COLUMNS = 'offset, fingerprint, exchange, type, source, sequence, topic';

/**
 * The columns of `entry` for a page, in the order of {@link EntryRow}. The payload is read as text: it is JSON encoded
 * for the log, without NUL or lone surrogates, which the driver would change.
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

/**
 * The columns of an entry with all its stored attributes: those of an {@link EntryRow}, then its id, then its
 * attributes, which are null in format 1.
 */
export const STORED_COLUMNS = `${ENTRY_COLUMNS}, id, attributes`;

/** Reads the two columns of {@link STORED_COLUMNS} that a page does not have. */
export function toStoredColumns(row: unknown): { readonly id: string; readonly attributes: string | null } {
  if (!Array.isArray(row)) throw new RowError();
  const [id, attributes]: unknown[] = row.slice(-2);
  if (typeof id !== 'string' || (attributes !== null && typeof attributes !== 'string')) throw new RowError();
  return { id, attributes };
}

/**
 * An entry with the payload bytes from the birth of the log to the start and the end of the entry. The payload is
 * absent if the exchange is not requested.
 */
export interface FollowingRow {
  readonly offset: number;
  readonly fingerprint: number;
  readonly isWanted: boolean;
  readonly start: number;
  readonly end: number;
}

/** @param row the columns of an {@link EntryRow}, then start and end */
export function toFollowingRow(row: unknown): FollowingRow {
  if (!Array.isArray(row)) throw new RowError();
  const [offset, fingerprint, , , , , , payload, start, end]: unknown[] = row;
  const isKnown = typeof offset === 'number' && typeof fingerprint === 'number';
  if (!isKnown || typeof start !== 'number' || typeof end !== 'number') throw new RowError();
  return { offset, fingerprint, isWanted: payload !== null, start, end };
}

/** The place of an entry. */
export interface MarkRow {
  readonly offset: number;
  readonly fingerprint: number;
  /** The sum of payload bytes from the birth of the log through this entry. */
  readonly bytes: number;
  /** The time of the append, in milliseconds since 1970. */
  readonly time: number;
}

/** A row does not match the schema: the file is damaged, or it is no longer the file that was opened. */
export class RowError extends Error {
  override readonly name = 'RowError';

  constructor() {
    super('the log holds a row that does not match its schema: the file may be damaged');
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
