import { CLOSE_CODES, type CloseCode, type ErrorCode, PregonError } from '@pregon/protocol';

/** The part of an error that a client is told. */
export interface ToldError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

/**
 * Texts for internal errors. Their own messages may contain addresses, passwords, paths and SQL, so those stay in the
 * log and clients get these texts. The messages of all other codes are about the client's own request, or come from a
 * handler on purpose.
 */
const TEXTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  CONFIG_INVALID: 'the gateway is not configured for this',
  CONNECTION_LOST: 'the gateway lost a connection',
  EXCHANGE_UNUSABLE: 'the log accepts no events for this exchange',
  HANDLER_FAILED: 'the handler failed',
  LISTEN_FAILED: 'the gateway cannot listen',
  LOG_CLOSED: 'the log is closed',
  LOG_UNAVAILABLE: 'the log cannot be read or written now',
  ROUTE_UNKNOWN: 'there is no such route',
  SNAPSHOT_UNAVAILABLE: 'the snapshot cannot be read now',
  TIMEOUT: 'the operation took too long',
};

/** The part of any error that a client may be told, on every transport. */
export function toldError(error: unknown): ToldError {
  if (!(error instanceof PregonError)) {
    return { code: 'HANDLER_FAILED', message: 'the handler failed', retryable: false };
  }
  const { code, message, retryable, retryAfterMs } = error;
  const told = { code, message: TEXTS[code] ?? message, retryable };
  return retryAfterMs === undefined ? told : { ...told, retryAfterMs };
}

/** The close code for an error that ends the connection; undefined for one that ends only its subscription. */
export function closeCodeOf({ code }: PregonError): CloseCode | undefined {
  // Every subscription is about to end. The client should reconnect with its positions.
  if (code === 'LOG_UNAVAILABLE' || code === 'LOG_CLOSED') return CLOSE_CODES.LOG_UNAVAILABLE;
  return code === 'CONNECTION_LOST' ? CLOSE_CODES.INTERNAL_ERROR : undefined;
}
