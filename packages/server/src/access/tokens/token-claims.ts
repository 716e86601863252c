import type { Identity } from '../../core/ports/admission.js';
import { REFUSED, type TokenRefusal } from './token-refusal.js';

/** An identity that a token proves. */
export type TokenIdentity = Identity & Required<Pick<Identity, 'claims' | 'expiresAtMs' | 'issuedAtMs'>>;

export interface ClaimRules {
  readonly issuer: string;
  /** Empty: there must be no `aud`. */
  readonly audiences: ReadonlySet<string>;
  readonly maxTokenLifetimeMs: number;
  readonly leewayMs: number;
}

/** Half of a character beyond U+FFFF. Written as UTF-8, different texts with such halves become equal. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Checks the registered claims (RFC 7519 section 4.1) of a payload whose signature was checked.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 * @returns the identity with all claims, which nobody can change any longer, as many connections share it
 */
export function identityOf(
  claims: Readonly<Record<string, unknown>>,
  { issuer, audiences, maxTokenLifetimeMs, leewayMs }: ClaimRules,
  nowMs: number,
): TokenIdentity | TokenRefusal {
  const { iss, sub, aud, iat, exp, nbf, jti } = claims;
  if (iss !== issuer) return REFUSED.issuer;
  if (!isName(sub) || !isDate(iat) || !isDate(exp)) return REFUSED.claims;
  if ((nbf !== undefined && !isDate(nbf)) || (jti !== undefined && !isName(jti))) return REFUSED.claims;
  if (!isMeantFor(audiences, aud)) return REFUSED.audience;
  const [issuedAtMs, expiresAtMs] = [iat * 1_000, exp * 1_000];
  if (expiresAtMs <= issuedAtMs) return REFUSED.claims;
  if (hasExpired(expiresAtMs, leewayMs, nowMs)) return REFUSED.expired;
  if (expiresAtMs - issuedAtMs > maxTokenLifetimeMs) return REFUSED.lifetime;
  if (Math.max(iat, nbf ?? iat) * 1_000 > nowMs + leewayMs) return REFUSED.early;
  const about = jti === undefined ? {} : { jti };
  return Object.freeze({ iss: issuer, sub, claims: deepFreeze(claims), expiresAtMs, issuedAtMs, ...about });
}

/** RFC 7519 section 4.1.4, with the leeway that it permits. */
export function hasExpired(expiresAtMs: number, leewayMs: number, nowMs: number): boolean {
  return nowMs >= expiresAtMs + leewayMs;
}

/** A token with an audience is refused by everybody that it does not name (RFC 7519 section 4.1.3). */
function isMeantFor(audiences: ReadonlySet<string>, aud: unknown): boolean {
  if (audiences.size === 0) return aud === undefined;
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.every((name) => typeof name === 'string') && named.some((name) => audiences.has(name));
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !LONE_SURROGATE.test(value);
}

/** Seconds since 1970-01-01 UTC, fractions included (RFC 7519 section 2, NumericDate). */
function isDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Claims are nested a few levels at most, see `jsonMembers`. */
function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
