import { randomBytes } from 'node:crypto';

const SECRET_BYTES = 15;

/** The id of a session that lives in this worker: its number, and what nobody can guess. */
export function newSessionId(worker: number): string {
  return `${worker}-${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** Whether a request names a session by an id as {@link newSessionId} makes them. */
export function namesSession(target: string | undefined): boolean {
  return /[?&]sid=[1-9]\d{0,2}-[\w-]{20}(?:[&#]|$)/.test(target ?? '');
}

/** The worker in which the session of a request lives; undefined where the request names none of ours. */
export function ownerOf(target: string | undefined): number | undefined {
  const digits = /[?&]sid=(\d{1,3})-/.exec(target ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
