import { type ErrorCode, PregonError } from '@pregon/protocol';

/** What a client is told of an error. */
export interface ToldError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

/**
 * The errors of inner parts. Their own messages may hold addresses, passwords, paths and SQL, so they stay in the log, and clients get these
 * texts. The messages of all other codes are about what the client sent, or are what a handler says to it on purpose.
 */
const TEXTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  CONFIG_INVALID: 'the gateway is not configured for this',
  CONNECTION_LOST: 'the gateway lost a connection',
  EXCHANGE_UNUSABLE: 'the log takes no events for this exchange',
  HANDLER_FAILED: 'the handler failed',
  LISTEN_FAILED: 'the gateway cannot listen',
  LOG_CLOSED: 'the log is closed',
  LOG_UNAVAILABLE: 'the log cannot be read or written now',
  ROUTE_UNKNOWN: 'there is no such route',
  SNAPSHOT_UNAVAILABLE: 'the snapshot cannot be read now',
  TIMEOUT: 'this took too long',
};

/** What may be told of any error, on every transport. */
export function toldError(error: unknown): ToldError {
  if (!(error instanceof PregonError)) {
    return { code: 'HANDLER_FAILED', message: 'the handler failed', retryable: false };
  }
  const { code, message, retryable, retryAfterMs } = error;
  const told = { code, message: TEXTS[code] ?? message, retryable };
  return retryAfterMs === undefined ? told : { ...told, retryAfterMs };
}
