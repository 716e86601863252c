import { CLOSE_CODES, type CloseCode, type ErrorCode } from '@pregon/protocol';

/** The most bytes of a close reason: the 125 bytes of a control frame less two for the code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/** How long a client may take to answer a close frame before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** The reason, or else the default reason of the code, truncated to fit into a close frame. */
export function closeReason(code: CloseCode, reason: string = code.reason): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  // A truncated character decodes to U+FFFD, which can only be at the end.
  return bytes.subarray(0, MAX_REASON_BYTES).toString().replace(/�+$/u, '');
}

/** The close code with which a transport without error frames refuses a request. */
export function refusalCode(code: ErrorCode): CloseCode {
  switch (code) {
    case 'POSITION_INVALID':
      return CLOSE_CODES.POSITION_INVALID;
    case 'TOPIC_INVALID':
      return CLOSE_CODES.TOPIC_INVALID;
    case 'FORBIDDEN':
      return CLOSE_CODES.FORBIDDEN;
    case 'LOG_UNAVAILABLE':
      return CLOSE_CODES.LOG_UNAVAILABLE;
    case 'HANDLER_FAILED':
    case 'SNAPSHOT_UNAVAILABLE':
      return CLOSE_CODES.INTERNAL_ERROR;
    default:
      return CLOSE_CODES.REQUEST_INVALID;
  }
}
