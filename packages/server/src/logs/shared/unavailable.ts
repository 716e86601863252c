import { messageOf, PregonError } from '@pregon/protocol';

/**
 * Converts an error of a driver or of the system to LOG_UNAVAILABLE. An error LOG_UNAVAILABLE or LOG_CLOSED stays as it
 * is.
 *
 * @example
 * await write(bytes).catch((error) => {
 *   throw toUnavailable(error);
 * });
 */
export function toUnavailable(error: unknown): PregonError {
  if (error instanceof PregonError && /^LOG_(UNAVAILABLE|CLOSED)$/.test(error.code)) return error;
  const detail = messageOf(error);
  return new PregonError('LOG_UNAVAILABLE', `the log is not available: ${detail}`, { cause: error });
}
