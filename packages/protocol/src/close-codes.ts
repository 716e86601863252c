/** A close code and what it asks of the client. */
export interface CloseCode {
  readonly code: number;
  /** The default close reason; at most 123 bytes, the limit of RFC 6455 section 5.5. */
  readonly reason: string;
  readonly reconnect: boolean;
}

/**
 * The close codes of a gateway. After 4000–4499 the client must connect again and present its position. After 4500–4999
 * it must not: the gateway would refuse the same request again. SSE carries the same codes in its `closing` event.
 *
 * @see docs/reference/protocol.md#close-codes
 */
export const CLOSE_CODES = {
  DRAINING: { code: 4000, reason: 'the gateway is going away', reconnect: true },
  HEARTBEAT_MISSED: { code: 4001, reason: 'no answer to a ping', reconnect: true },
  STALLED: { code: 4002, reason: 'nothing was read for too long', reconnect: true },
  INTERNAL_ERROR: { code: 4003, reason: 'internal error', reconnect: true },
  LOG_UNAVAILABLE: { code: 4004, reason: 'the log cannot be read', reconnect: true },
  TOKEN_EXPIRED: { code: 4005, reason: 'the token has expired', reconnect: true },
  RATE_LIMITED: { code: 4006, reason: 'too many requests', reconnect: true },
  REQUEST_INVALID: { code: 4500, reason: 'the request is not valid', reconnect: false },
  POSITION_INVALID: { code: 4501, reason: 'since is not a position', reconnect: false },
  RESET: { code: 4502, reason: 'the position cannot be served', reconnect: false },
  TOPIC_INVALID: { code: 4503, reason: 'a topic pattern is not valid', reconnect: false },
  FORBIDDEN: { code: 4504, reason: 'not allowed', reconnect: false },
  UNAUTHORIZED: { code: 4505, reason: 'a valid token is needed', reconnect: false },
  REVOKED: { code: 4506, reason: 'the identity was revoked', reconnect: false },
} as const satisfies Record<string, CloseCode>;

export type CloseName = keyof typeof CLOSE_CODES;

/**
 * Tells whether a client may connect again after this close code. RFC 6455 section 7.4 defines the codes below 4000:
 * after a protocol error (1002, 1003, 1007, 1008, 1009, 1010) the same frames would cause the same error again.
 *
 * @example
 * mayReconnect(4000); // true: the gateway is draining
 * mayReconnect(4501); // false: the position is invalid
 */
export function mayReconnect(code: number): boolean {
  if (code >= 4000) return code < 4500;
  return ![1002, 1003, 1007, 1008, 1009, 1010].includes(code);
}
