import { CLOSE_CODES, type ErrorCode, type ErrorFrame, isErrorCode, PregonError } from '@pregon/protocol';

/** What an `error` frame says. A code that this version does not know becomes HANDLER_FAILED, its name kept in the message. */
export function errorOfFrame(frame: ErrorFrame): PregonError {
  const code: string = frame.code;
  return isErrorCode(code)
    ? new PregonError(code, frame.message)
    : new PregonError('HANDLER_FAILED', `${code}: ${frame.message}`);
}

const REFUSALS: ReadonlyMap<number, ErrorCode> = new Map([
  [1009, 'FRAME_TOO_LARGE'],
  [CLOSE_CODES.POSITION_INVALID.code, 'POSITION_INVALID'],
  [CLOSE_CODES.RESET.code, 'POSITION_INVALID'],
  [CLOSE_CODES.TOPIC_INVALID.code, 'TOPIC_INVALID'],
  [CLOSE_CODES.REQUEST_INVALID.code, 'FRAME_INVALID'],
]);

/** What a close code says after which a client must not connect again. */
export function errorOfClose(code: number, reason: string): PregonError {
  // Those of RFC 6455 (below 4000) blame a frame; whatever else a gateway may say later is a refusal.
  const name = REFUSALS.get(code) ?? (code < 4000 ? 'FRAME_INVALID' : 'FORBIDDEN');
  return new PregonError(name, `the gateway refused the connection: ${reason || 'no reason given'} (${code})`);
}
