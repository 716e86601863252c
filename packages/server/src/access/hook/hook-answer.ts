import { CLOSE_CODES } from '@pregon/protocol';
import { isIdentity } from '../../core/admission/decision.js';
import type { Identity, Refusal } from '../../core/ports/admission.js';
import type { Downloaded } from '../download.js';
import { jsonMembers } from '../tokens/json-members.js';

/** The issuer of an identity for which the application names none. */
const DEFAULT_ISSUER = 'hook';

const MEMBERS: readonly string[] = ['sub', 'iss', 'claims', 'expiresInMs', 'jti'];

/** Half of a character beyond U+FFFF. Written as UTF-8, different texts with such halves become equal. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const UNAUTHORIZED: Refusal = Object.freeze({
  status: 401,
  message: 'the application does not know this client',
  headers: Object.freeze({ 'WWW-Authenticate': 'Bearer' }),
  close: CLOSE_CODES.UNAUTHORIZED,
});

const FORBIDDEN: Refusal = Object.freeze({
  status: 403,
  message: 'the application refuses this client',
  close: CLOSE_CODES.FORBIDDEN,
});

/**
 * What the answer of the application means.
 *
 * @param askedAtMs when the application was asked, in milliseconds since 1970-01-01 UTC
 * @param mostMs the longest time that an identity may last
 * @returns the identity; undefined if the client is anonymous
 * @throws Error that says what is wrong with the answer
 */
export function readHookAnswer(
  { status, bytes }: Downloaded,
  askedAtMs: number,
  mostMs: number,
): Identity | Refusal | undefined {
  switch (status) {
    case 200:
      return identityIn(bytes, askedAtMs, mostMs);
    case 204:
      return undefined;
    case 401:
      return UNAUTHORIZED;
    case 403:
      return FORBIDDEN;
    default:
      throw new Error(`it answered ${status}, and not 200, 204, 401 or 403; redirects are not followed`);
  }
}

/** A member with a mistyped name would be ignored, and its author would rely on it. */
function identityIn(bytes: Uint8Array, askedAtMs: number, mostMs: number): Identity {
  const members = jsonMembers(bytes);
  if (!members) throw new Error('it answered 200 with something else than an object of JSON');
  const unknown = Object.keys(members).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `the identity has a member ${JSON.stringify(unknown.slice(0, 80))}; there are ${MEMBERS.join(', ')}`,
    );
  }
  const { iss = DEFAULT_ISSUER, sub, claims, jti, expiresInMs = mostMs } = members;
  if (typeof expiresInMs !== 'number' || !(expiresInMs > 0)) throw new Error('expiresInMs must be a number above 0');
  const identity = {
    iss,
    sub,
    ...(claims === undefined ? {} : { claims }),
    ...(jti === undefined ? {} : { jti }),
    issuedAtMs: askedAtMs,
    expiresAtMs: askedAtMs + Math.min(expiresInMs, mostMs),
  };
  if (isIdentity(identity) && !LONE_SURROGATE.test(identity.iss + identity.sub)) return identity;
  throw new Error('the identity needs sub and iss as texts that are not empty, and claims as an object');
}
