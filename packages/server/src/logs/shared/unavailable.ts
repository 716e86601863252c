import { messageOf, PregonError } from '@pregon/protocol';

/** What a driver or the system says, as an error of operation: LOG_UNAVAILABLE, unless it is that or LOG_CLOSED already. */
export function toUnavailable(error: unknown): PregonError {
  if (error instanceof PregonError && /^LOG_(UNAVAILABLE|CLOSED)$/.test(error.code)) return error;
  const detail = messageOf(error);
  return new PregonError('LOG_UNAVAILABLE', `the log is not available: ${detail}`, { cause: error });
}
