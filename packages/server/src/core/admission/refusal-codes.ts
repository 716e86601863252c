import { CLOSE_CODES, type CloseCode, PregonError } from '@pregon/protocol';
import type { Refusal } from '../ports/admission.js';

/** The close code that tells a connected client of a refusal. */
export function closeCodeOfRefusal({ status, close }: Refusal): CloseCode {
  if (close) return close;
  if (status === 403) return CLOSE_CODES.FORBIDDEN;
  if (status === 429) return CLOSE_CODES.RATE_LIMITED;
  return status < 500 ? CLOSE_CODES.UNAUTHORIZED : CLOSE_CODES.INTERNAL_ERROR;
}

/** The error that tells a connected client of a refusal, if the connection goes on. */
export function errorOfRefusal({ status, message, close, headers }: Refusal): PregonError {
  const retryAfterMs = Number(headers?.['Retry-After'] ?? 1) * 1_000;
  if (status === 429) return new PregonError('RATE_LIMITED', message, { retryAfterMs });
  if (status >= 500) return new PregonError('AUTH_UNAVAILABLE', message, { retryAfterMs });
  if (close?.code === CLOSE_CODES.TOKEN_EXPIRED.code) return new PregonError('TOKEN_EXPIRED', message);
  return new PregonError(status === 403 ? 'FORBIDDEN' : 'UNAUTHORIZED', message);
}
