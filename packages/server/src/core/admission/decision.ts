import type { CloseCode } from '@pregon/protocol';
import type { Allowed, Decision, Identity, Refusal } from '../ports/admission.js';
import type { Rights } from '../ports/rights.js';

/** The combined decision of all admissions. */
export type Verdict = Allowed | Refusal;

/** A token of RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** Visible characters, spaces and tabs (RFC 9110 section 5.5), as node:http accepts them. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

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
    return parseRefusal(value);
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

export function isIdentity(value: unknown): value is Identity {
  if (!isObject(value)) return false;
  const { iss, sub, claims, expiresAtMs, issuedAtMs, jti }: Partial<Record<keyof Identity, unknown>> = value;
  if (!isName(iss) || !isName(sub)) return false;
  if (claims !== undefined && !isObject(claims)) return false;
  return isTime(expiresAtMs) && isTime(issuedAtMs) && (jti === undefined || isName(jti));
}

function isTime(value: unknown): boolean {
  return value === undefined || Number.isFinite(value);
}

/** Each field is read once, and copied: what was checked is what is sent. */
function parseRefusal(value: object): Refusal {
  const { status, message, reason, remedy, headers, close, awaitsToken }: Partial<Record<keyof Refusal, unknown>> =
    value;
  if (!isInteger(status, 400, 599) || typeof message !== 'string')
    return fail('a refusal needs a status from 400 to 599, and a message');
  if (!isOptionalText(reason) || !isOptionalText(remedy)) return fail('reason and remedy of a refusal must be text');
  return {
    status,
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(headers === undefined ? {} : { headers: parseHeaders(headers) }),
    ...(close === undefined ? {} : { close: parseClose(close) }),
    ...(awaitsToken === true ? { awaitsToken } : {}),
  };
}

/** A line break in a value would begin another header, or the body. */
function parseHeaders(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return fail('the headers of a refusal must be an object');
  const headers: [string, string][] = [];
  for (const [name, text] of Object.entries(value)) {
    if (!HEADER_NAME.test(name) || typeof text !== 'string' || !HEADER_VALUE.test(text))
      return fail('the headers of a refusal must be names and values that HTTP allows');
    headers.push([name, text]);
  }
  return Object.fromEntries(headers);
}

function parseClose(value: unknown): CloseCode {
  const { code, reason, reconnect }: Partial<Record<keyof CloseCode, unknown>> = isObject(value) ? value : {};
  if (!isInteger(code, 3_000, 4_999) || typeof reason !== 'string' || typeof reconnect !== 'boolean')
    return fail('close of a refusal needs a code from 3000 to 4999, a reason, and reconnect');
  return { code, reason, reconnect };
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
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
