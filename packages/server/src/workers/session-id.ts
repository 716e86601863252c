import { randomBytes } from 'node:crypto';
import { sessionIdOf } from '../transports/socketio/socketio-path.js';

const SECRET_BYTES = 15;

/** A new id for a session in this worker: the worker's number and 15 random bytes. */
export function newSessionId(worker: number): string {
  return `${worker}-${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** Whether a request has a session id in the form of {@link newSessionId}. */
export function namesSession(target: string | undefined): boolean {
  return /^[1-9]\d{0,2}-[\w-]{20}$/.test(sessionIdOf(target) ?? '');
}

/** The worker that owns the session of a request; undefined if the request has no session id of ours. */
export function ownerOf(target: string | undefined): number | undefined {
  const digits = /^(\d{1,3})-/.exec(sessionIdOf(target) ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
