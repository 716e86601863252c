import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_COUNT } from '../../core/ports/log.js';
import type { ReadRequest } from '../../core/ports/log-entry.js';

/** A read request with all defaults filled in. */
export type Range = Required<ReadRequest>;

/**
 * Fills in the defaults of a read request.
 *
 * @throws RangeError if a number of the request is out of range
 * @example
 * const { after, through, maxCount, maxBytes } = toRange({ after: 0 });
 */
export function toRange(request: ReadRequest): Range {
  const {
    after,
    through = Number.MAX_SAFE_INTEGER,
    maxCount = DEFAULT_PAGE_COUNT,
    maxBytes = DEFAULT_PAGE_BYTES,
  } = request;
  assertInteger('after', after, 0);
  assertInteger('through', through, 0);
  assertInteger('maxCount', maxCount, 1);
  assertInteger('maxBytes', maxBytes, 1);
  return { after, through, maxCount, maxBytes };
}

function assertInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} must be an integer of at least ${least}, not ${value}`);
  }
}
