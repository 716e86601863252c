import { DEFAULT_FIND_LIMIT, type FindRequest, type Found, type StoredEntry } from '../../core/ports/stored-entry.js';

/**
 * Returns the limit of a request for entries, or its default.
 *
 * @throws RangeError if the limit is not an integer of at least 1
 * @example
 * findLimit({ id: '42', limit: 2 }); // 2
 */
export function findLimit({ limit = DEFAULT_FIND_LIMIT }: FindRequest): number {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`limit must be an integer of at least 1, not ${limit}`);
  }
  return limit;
}

/**
 * Makes the result of `find`: at most `limit` entries, and whether there are no more.
 *
 * @param entries all entries with the id, or more of them than the limit
 * @example
 * toFound(entries, findLimit(request));
 */
export function toFound(entries: readonly StoredEntry[], limit: number): Found {
  return { entries: entries.slice(0, limit), complete: entries.length <= limit };
}
