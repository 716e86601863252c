import { parseDuration } from '../../config/quantities.js';
import { UsageError } from '../usage-error.js';

/** A date, or a date and time with its zone. A time without a zone would depend on the machine. */
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Reads a time in a flag: RFC 3339, a date (midnight UTC), a duration from now, or `now`.
 *
 * @returns milliseconds since 1970-01-01 UTC
 * @throws UsageError
 */
export function readTime(flag: string, text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  const duration = parseDuration(text);
  if (duration !== undefined) return nowMs + duration;
  const time = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `--${flag} must be a time such as 2030-01-31T12:00:00Z, a date, or 12h or 7d from now, not "${text}"`,
  );
}
