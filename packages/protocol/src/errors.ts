/**
 * Every code that a {@link PregonError} or an `error` frame carries, and whether the same request may succeed later.
 * Each code is explained in docs/protocol.md#error-codes.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: { retryable: false },
  CONNECTION_LOST: { retryable: true },
  EVENT_INVALID: { retryable: false },
  EVENT_TOO_LARGE: { retryable: false },
  FORBIDDEN: { retryable: false },
  FRAME_INVALID: { retryable: false },
  FRAME_TOO_LARGE: { retryable: false },
  HANDLER_FAILED: { retryable: false },
  ID_IN_USE: { retryable: false },
  LISTEN_FAILED: { retryable: false },
  LOG_CLOSED: { retryable: false },
  LOG_UNAVAILABLE: { retryable: true },
  MESSAGE_UNKNOWN: { retryable: false },
  OP_UNKNOWN: { retryable: false },
  POSITION_INVALID: { retryable: false },
  ROUTE_UNKNOWN: { retryable: false },
  SNAPSHOT_NOT_OFFERED: { retryable: false },
  SNAPSHOT_UNAVAILABLE: { retryable: true },
  SUBSCRIPTION_UNKNOWN: { retryable: false },
  TIMEOUT: { retryable: true },
  TOO_MANY_SUBSCRIPTIONS: { retryable: false },
  TOPICS_OVERLAP: { retryable: false },
  TOPIC_INVALID: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CODES, value);
}

/** The one error class for what can go wrong in operation; misuse throws `TypeError` or `RangeError` instead. */
export class PregonError extends Error {
  override readonly name = 'PregonError';
  readonly code: ErrorCode;
  /** True where the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
  }
}
