import type { Allowed, Decision, Identity, Refusal } from '../ports/admission.js';
import type { Rights } from '../ports/rights.js';

/** The combined decision of all admissions. */
export type Verdict = Allowed | Refusal;

const EXPECTED = 'an admission must return undefined, { identity, rights } or a refusal';

export function isRefusal(verdict: Verdict): verdict is Refusal {
  return 'status' in verdict;
}

/**
 * Checks what an admission returned. Types do not protect applications in JavaScript, and an invalid value must not
 * admit a client.
 *
 * @throws TypeError if the value is not a decision
 */
export function parseDecision(value: unknown): Decision {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new TypeError(EXPECTED);
  if ('status' in value) {
    return isWellFormed(value) ? value : fail('a refusal needs a status from 400 to 599, and a message');
  }
  const unknown = Object.keys(value).find((name) => name !== 'identity' && name !== 'rights');
  if (unknown !== undefined || Object.getPrototypeOf(value) !== Object.prototype) throw new TypeError(EXPECTED);
  const { identity, rights }: Partial<Record<keyof Allowed, unknown>> = value;
  if (identity !== undefined && !isIdentity(identity))
    throw new TypeError('an identity needs iss and sub, both non-empty strings');
  if (rights !== undefined && !isRights(rights))
    throw new TypeError('rights need subscribe, send, broadcast, publish, isService and key');
  return { ...(identity ? { identity } : {}), ...(rights ? { rights } : {}) };
}

function isRights(value: unknown): value is Rights {
  if (!isObject(value)) return false;
  const { subscribe, send, broadcast, publish, isService, key }: Partial<Record<keyof Rights, unknown>> = value;
  if (!Array.isArray(subscribe) || !subscribe.every((pattern) => typeof pattern === 'string')) return false;
  if (send !== 'any' && !(send instanceof Set)) return false;
  if (!Array.isArray(publish)) return false;
  return typeof broadcast === 'boolean' && typeof isService === 'boolean' && typeof key === 'string';
}

function isIdentity(value: unknown): value is Identity {
  if (!isObject(value)) return false;
  const { iss, sub, claims, expiresAtMs, issuedAtMs, jti }: Partial<Record<keyof Identity, unknown>> = value;
  if (!isName(iss) || !isName(sub)) return false;
  if (claims !== undefined && !isObject(claims)) return false;
  return isTime(expiresAtMs) && isTime(issuedAtMs) && (jti === undefined || isName(jti));
}

function isTime(value: unknown): boolean {
  return value === undefined || Number.isFinite(value);
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
