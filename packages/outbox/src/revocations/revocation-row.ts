import { parseRevocation, type Revocation } from '@pregon/protocol';
import { v7 } from 'uuid';

/** A revocation as a row of an outbox holds it. */
export interface RevocationRow {
  /** Unique. It stays the same if the revocation is recorded again after a crash. */
  readonly id: string;
  readonly revocation: Revocation;
}

export function encodeRevocation(revocation: Revocation): string {
  return JSON.stringify({ id: v7(), revocation } satisfies RevocationRow);
}

/**
 * @param text the column as the driver returns it
 * @throws TypeError | RangeError | SyntaxError if {@link encodeRevocation} cannot have made it
 */
export function decodeRevocation(text: unknown): RevocationRow {
  if (typeof text !== 'string') throw new TypeError('it is not a text');
  const row: unknown = JSON.parse(text);
  if (typeof row !== 'object' || row === null || !('id' in row) || !('revocation' in row)) {
    throw new TypeError('it has no id and revocation');
  }
  if (typeof row.id !== 'string' || row.id === '' || row.id.length > 100) throw new TypeError('its id is not valid');
  return { id: row.id, revocation: parseRevocation(row.revocation) };
}
