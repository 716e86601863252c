import type { CommittedEvent, CommittedRevocation, TableRow } from './truth.js';

/**
 * Converts the untyped rows of a driver.
 * @throws TypeError
 */
export function toCommitted(row: unknown): CommittedEvent {
  return {
    id: text(row, 'event_id'),
    topic: text(row, 'topic'),
    row: text(row, 'changed'),
    version: number(row, 'version'),
    recordedAtMs: number(row, 'recorded_at'),
  };
}

export function toRevocation(row: unknown): CommittedRevocation {
  const seen: unknown = Reflect.get(Object(row), 'committed_by');
  return {
    kind: text(row, 'kind') === 'block' ? 'block' : 'revoke',
    user: text(row, 'subject'),
    atMs: number(row, 'at'),
    committedByMs: seen === null ? undefined : number(row, 'committed_by'),
  };
}

export function toTableRow(row: unknown): TableRow {
  if (typeof row !== 'object' || row === null) throw new TypeError('a row must be an object');
  return { ...row, id: text(row, 'id'), version: number(row, 'version') };
}

export function number(row: unknown, column: string): number {
  const value: unknown = Reflect.get(Object(row), column);
  // PostgreSQL returns counts as text.
  const converted = typeof value === 'string' ? Number(value) : value;
  if (typeof converted === 'number' && Number.isSafeInteger(converted)) return converted;
  throw new TypeError(`${column} must be an integer, not ${String(value)}`);
}

function text(row: unknown, column: string): string {
  const value: unknown = Reflect.get(Object(row), column);
  if (typeof value === 'string') return value;
  throw new TypeError(`${column} must be text, not ${String(value)}`);
}
