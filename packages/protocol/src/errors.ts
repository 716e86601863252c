const PERMANENT = { retryable: false } as const;
const TRANSIENT = { retryable: true } as const;

/**
 * Every code of a {@link PregonError} or an `error` frame, and whether the same request may succeed later.
 * docs/reference/protocol.md#error-codes explains each code.
 */
export const ERROR_CODES = {
  AUTH_UNAVAILABLE: TRANSIENT,
  CONFIG_INVALID: PERMANENT,
  CONNECTION_LOST: TRANSIENT,
  DRIVER_MISSING: PERMANENT,
  EVENT_ID_REUSED: PERMANENT,
  EVENT_INVALID: PERMANENT,
  EVENT_TOO_LARGE: PERMANENT,
  EXCHANGE_UNUSABLE: PERMANENT,
  FORBIDDEN: PERMANENT,
  FRAME_INVALID: PERMANENT,
  FRAME_TOO_LARGE: PERMANENT,
  HANDLER_FAILED: PERMANENT,
  ID_IN_USE: PERMANENT,
  KEPT_FULL: PERMANENT,
  LISTEN_FAILED: PERMANENT,
  LOG_CLOSED: PERMANENT,
  LOG_UNAVAILABLE: TRANSIENT,
  MESSAGE_UNKNOWN: PERMANENT,
  OP_UNKNOWN: PERMANENT,
  POSITION_INVALID: PERMANENT,
  RATE_LIMITED: TRANSIENT,
  ROUTE_UNKNOWN: PERMANENT,
  SNAPSHOT_NOT_OFFERED: PERMANENT,
  SNAPSHOT_UNAVAILABLE: TRANSIENT,
  SUBSCRIPTION_UNKNOWN: PERMANENT,
  TIMEOUT: TRANSIENT,
  TOKEN_EXPIRED: PERMANENT,
  TOO_MANY_SUBSCRIPTIONS: PERMANENT,
  TOPICS_OVERLAP: PERMANENT,
  TOPICS_TOO_COMPLEX: PERMANENT,
  TOPIC_INVALID: PERMANENT,
  UNAUTHORIZED: PERMANENT,
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * Tells whether a text is one of {@link ERROR_CODES}.
 *
 * @example
 * isErrorCode('FORBIDDEN'); // true
 */
export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CODES, value);
}

/** The only error class for failures in operation. Misuse throws `TypeError` or `RangeError` instead. */
export class PregonError extends Error {
  override readonly name = 'PregonError';
  readonly code: ErrorCode;
  /** True if the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** With RATE_LIMITED and AUTH_UNAVAILABLE: the number of milliseconds until the same call may succeed. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options);
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
