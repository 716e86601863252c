import { type ErrorCode, type ErrorFrame, isErrorCode, PregonError } from '@pregon/protocol';
import type { Refused } from './connection/connection-state.js';

/** Makes the error for an `error` frame. An unknown code becomes HANDLER_FAILED, and the message keeps its name. */
export function errorOfFrame(frame: ErrorFrame): PregonError {
  const code: string = frame.code;
  return isErrorCode(code)
    ? new PregonError(code, frame.message, { retryAfterMs: frame.retryAfterMs })
    : new PregonError('HANDLER_FAILED', `${code}: ${frame.message}`);
}

/**
 * The codes of CLOSE_CODES that refuse. Their texts would add a twentieth to the browser bundle; connecting.test.ts
 * compares the numbers.
 */
const REFUSALS: ReadonlyMap<number, ErrorCode> = new Map([
  [1009, 'FRAME_TOO_LARGE'],
  [4500, 'FRAME_INVALID'],
  [4501, 'POSITION_INVALID'],
  [4502, 'POSITION_INVALID'],
  [4503, 'TOPIC_INVALID'],
  [4505, 'UNAUTHORIZED'],
]);

/** The state after a close code that refuses. */
export function stateOfClose(code: number): Refused {
  if (code === 4505) return 'unauthorized';
  return code === 4504 || code === 4506 ? 'forbidden' : 'refused';
}

/** The close code and reason of HEARTBEAT_MISSED. */
export const NO_PONG = { code: 4001, reason: 'no answer to a ping' };

/** Makes the error for a close code after which a client must not connect again. */
export function errorOfClose(code: number, reason: string): PregonError {
  // Codes below 4000 come from RFC 6455 and blame a frame. An unknown code of a newer gateway is a refusal.
  const name = REFUSALS.get(code) ?? (code < 4000 ? 'FRAME_INVALID' : 'FORBIDDEN');
  return new PregonError(name, `the gateway refused the connection: ${reason || 'no reason given'} (${code})`);
}
