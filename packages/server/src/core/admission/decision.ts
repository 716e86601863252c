import type { Allowed, Decision, Identity, Refusal } from '../ports/admission.js';

/** What several admissions together decided. */
export type Verdict = Allowed | Refusal;

export function isRefusal(verdict: Verdict): verdict is Refusal {
  return 'status' in verdict;
}

/**
 * Checks what an admission returned. Types do not hold those who write JavaScript, and what is not understood must not admit anybody.
 *
 * @throws TypeError if it is no decision
 */
export function parseDecision(value: unknown): Decision {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new TypeError('an admission must return undefined, { identity } or a refusal');
  if ('status' in value)
    return isWellFormed(value) ? value : fail('a refusal needs a status from 400 to 599, and a message');
  if (!('identity' in value)) {
    if (Object.keys(value).length === 0 && Object.getPrototypeOf(value) === Object.prototype) return undefined;
    return fail('an admission must return undefined, { identity } or a refusal');
  }
  const { identity } = value;
  if (identity === undefined) return undefined;
  return isIdentity(identity) ? { identity } : fail('an identity needs iss and sub, both non-empty strings');
}

function isIdentity(value: unknown): value is Identity {
  if (!isObject(value)) return false;
  const { iss, sub, claims, expiresAtMs }: Partial<Record<keyof Identity, unknown>> = value;
  if (!isName(iss) || !isName(sub)) return false;
  return (claims === undefined || isObject(claims)) && (expiresAtMs === undefined || Number.isFinite(expiresAtMs));
}

function isWellFormed(value: object): value is Refusal {
  const { status, message }: { status?: unknown; message?: unknown } = value;
  return typeof status === 'number' && status >= 400 && status <= 599 && typeof message === 'string';
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fail(message: string): never {
  throw new TypeError(message);
}
