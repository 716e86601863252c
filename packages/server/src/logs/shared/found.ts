import { DEFAULT_FIND_LIMIT, type FindRequest, type Found, type StoredEntry } from '../../core/ports/stored-entry.js';

/** @throws RangeError if it is not an integer from 1 on */
export function findLimit({ limit = DEFAULT_FIND_LIMIT }: FindRequest): number {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`limit must be an integer from 1 on, not ${limit}`);
  }
  return limit;
}

/** @param entries all that have the id, or more of them than the limit */
export function toFound(entries: readonly StoredEntry[], limit: number): Found {
  return { entries: entries.slice(0, limit), complete: entries.length <= limit };
}
