import { CLOSE_CODES, type CloseCode, type ErrorCode } from '@pregon/protocol';

/** The most bytes of a close reason: a control frame's 125 less the two of the code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/** How long a client may take to answer a goodbye before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** The code's own words where there are no better ones, cut to what a close frame can hold. */
export function closeReason(code: CloseCode, reason: string = code.reason): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  // A character that was cut in two decodes to U+FFFD, which may stand at the end only.
  return bytes.subarray(0, MAX_REASON_BYTES).toString().replace(/�+$/u, '');
}

/** With which code a transport that has no error frames refuses. */
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
