import { type ErrorCode, type ErrorFrame, isErrorCode, PregonError } from '@pregon/protocol';

/** What an `error` frame says. A code that this version does not know becomes HANDLER_FAILED, its name kept in the message. */
export function errorOfFrame(frame: ErrorFrame): PregonError {
  const code: string = frame.code;
  return isErrorCode(code)
    ? new PregonError(code, frame.message, { retryAfterMs: frame.retryAfterMs })
    : new PregonError('HANDLER_FAILED', `${code}: ${frame.message}`);
}

/** The numbers of CLOSE_CODES, whose texts would be a twentieth of what a browser loads; connecting.test.ts compares them. */
const REFUSALS: ReadonlyMap<number, ErrorCode> = new Map([
  [1009, 'FRAME_TOO_LARGE'],
  [4500, 'FRAME_INVALID'],
  [4501, 'POSITION_INVALID'],
  [4502, 'POSITION_INVALID'],
  [4503, 'TOPIC_INVALID'],
]);

/** As close code and reason: HEARTBEAT_MISSED. */
export const NO_PONG = { code: 4001, reason: 'no answer to a ping' };

/** The error for a close code after which a client must not connect again. */
export function errorOfClose(code: number, reason: string): PregonError {
  // The codes of RFC 6455, below 4000, blame a frame; an unknown code of a newer gateway is a refusal.
  const name = REFUSALS.get(code) ?? (code < 4000 ? 'FRAME_INVALID' : 'FORBIDDEN');
  return new PregonError(name, `the gateway refused the connection: ${reason || 'no reason given'} (${code})`);
}
