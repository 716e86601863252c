/**
 * A temporary obstacle: the same request may succeed later without a change. PostgreSQL either does not answer, or has
 * refused because of what other connections do.
 */
export type Trouble = 'unreachable' | 'busy';

/**
 * 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now, 53300 too_many_connections; 08 is
 * connection_exception.
 */
const UNREACHABLE = /^(08...|57P0[123]|53300)$/;
/**
 * 40001 serialization_failure, 40P01 deadlock_detected, 55P03 lock_not_available, 57014 query_canceled, 25P03 idle for
 * too long.
 */
const BUSY = /^(40001|40P01|55P03|57014|25P03)$/;

const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Messages of pg and the outbox for a lost or unanswered connection: these errors have no code. */
const CONNECTION =
  /^(Connection terminated|timeout expired|Query read timeout|no answer from PostgreSQL|Client (was closed|has encountered a connection error) and is not queryable)/;

/** The pool's message if all its connections were in use for too long. */
const POOL_IS_EMPTY = 'timeout exceeded when trying to connect';

/** @returns undefined if the error is not temporary, so that waiting does not help */
export function troubleOf(error: unknown): Trouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error);
  if (code === undefined) {
    if (error.message === POOL_IS_EMPTY) return 'busy';
    return CONNECTION.test(error.message) ? 'unreachable' : undefined;
  }
  if (BUSY.test(code)) return 'busy';
  // A missing Unix socket, but not a missing certificate file.
  const noSocket = code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect';
  return UNREACHABLE.test(code) || NETWORK.test(code) || noSocket ? 'unreachable' : undefined;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
