import { utf8Length } from '../utf8-length.js';

/** The owner of tokens and connections: a subject, as named by its issuer. */
export interface RevokedSubject {
  /** The issuer of the tokens: exactly their `iss`. */
  readonly iss: string;
  /** The subject: exactly the `sub` of the tokens. */
  readonly sub: string;
}

/** What to revoke: all present tokens of a subject, one token, or the older tokens of an issuer. */
export type RevocationTarget =
  | RevokedSubject
  | {
      readonly iss: string;
      /** The id of the token: exactly its `jti`. */
      readonly jti: string;
    }
  | {
      readonly iss: string;
      /** Tokens that were issued before this time end; as a date, or in milliseconds since 1970-01-01 UTC. */
      readonly issuedBefore: Date | number;
    };

/** A subject, and until when it is blocked. */
export interface BlockTarget extends RevokedSubject {
  /** When the block ends; as a date, or in milliseconds since 1970-01-01 UTC. */
  readonly until: Date | number;
}

/**
 * A revocation as logs and outboxes store it. All times are in milliseconds since 1970-01-01 UTC, and `atMs` is when it
 * was asked for.
 */
export type Revocation =
  /** Ends the tokens of a subject that were issued at `atMs` or before. */
  | { readonly kind: 'subject'; readonly iss: string; readonly sub: string; readonly atMs: number }
  /** Ends one token. */
  | { readonly kind: 'token'; readonly iss: string; readonly jti: string; readonly atMs: number }
  /** Ends the tokens of an issuer that were issued before `beforeMs`. */
  | { readonly kind: 'issuer'; readonly iss: string; readonly beforeMs: number; readonly atMs: number }
  /** Ends the tokens of a subject, and refuses newer ones, until `untilMs`. */
  | {
      readonly kind: 'block';
      readonly iss: string;
      readonly sub: string;
      readonly untilMs: number;
      readonly atMs: number;
    }
  /** Lifts a block. */
  | { readonly kind: 'unblock'; readonly iss: string; readonly sub: string; readonly atMs: number };

/** How much the clock of an issuer may be ahead of the clock here, in milliseconds. */
const CLOCK_LEEWAY_MS = 5_000;

/** The largest time of a date in JavaScript. */
const LAST_MS = 8.64e15;

/** The largest key of a set of kept values, in bytes of UTF-8. */
const KEY_BYTES = 512;

/** Half of a character beyond U+FFFF. Written as UTF-8, different texts with such halves become equal. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Checks what `revoke` was called with.
 *
 * @throws TypeError if it names none or several of `sub`, `jti` and `issuedBefore`, or another member, or a value has a
 *   wrong type
 * @throws RangeError if the names are too long, or `issuedBefore` is in the future
 * @example
 * toRevocation({ iss: 'shop', sub: '42' }, Date.now());
 */
export function toRevocation(target: RevocationTarget, nowMs: number): Revocation {
  const given = membersOf(target, ['iss', 'sub', 'jti', 'issuedBefore'], 'revoke');
  const [kind, ...others] = ['sub', 'jti', 'issuedBefore'].filter((name) => given[name] !== undefined);
  if (kind === undefined || others.length > 0) {
    throw new TypeError('revoke needs iss, and exactly one of sub, jti and issuedBefore');
  }
  const iss = nameIn(given, 'iss');
  if (kind === 'sub') return sized({ kind: 'subject', iss, sub: nameIn(given, 'sub'), atMs: nowMs });
  if (kind === 'jti') return sized({ kind: 'token', iss, jti: nameIn(given, 'jti'), atMs: nowMs });
  const beforeMs = timeIn(given, 'issuedBefore');
  if (beforeMs > nowMs + CLOCK_LEEWAY_MS) throw new RangeError('issuedBefore must not be in the future');
  return sized({ kind: 'issuer', iss, beforeMs, atMs: nowMs });
}

/**
 * Checks what `block` was called with.
 *
 * @throws TypeError if a member is missing, unknown, or has a wrong type
 * @throws RangeError if the names are too long, or `until` is not in the future
 * @example
 * toBlock({ iss: 'shop', sub: '42', until: new Date('2030-01-01') }, Date.now());
 */
export function toBlock(target: BlockTarget, nowMs: number): Revocation {
  const given = membersOf(target, ['iss', 'sub', 'until'], 'block');
  const [iss, sub, untilMs] = [nameIn(given, 'iss'), nameIn(given, 'sub'), timeIn(given, 'until')];
  if (untilMs <= nowMs) throw new RangeError('until must be in the future');
  return sized({ kind: 'block', iss, sub, untilMs, atMs: nowMs });
}

/**
 * Checks what `unblock` was called with.
 *
 * @throws TypeError if a member is missing, unknown, or has a wrong type
 * @throws RangeError if the names are too long
 * @example
 * toUnblock({ iss: 'shop', sub: '42' }, Date.now());
 */
export function toUnblock(target: RevokedSubject, nowMs: number): Revocation {
  const given = membersOf(target, ['iss', 'sub'], 'unblock');
  return sized({ kind: 'unblock', iss: nameIn(given, 'iss'), sub: nameIn(given, 'sub'), atMs: nowMs });
}

/**
 * Reads a revocation that a log or an outbox stored.
 *
 * @throws TypeError | RangeError if it is not one
 */
export function parseRevocation(value: unknown): Revocation {
  // A newer release may have added members.
  const stored = objectOf(value, 'a revocation');
  const [iss, atMs] = [nameIn(stored, 'iss'), timeIn(stored, 'atMs')];
  switch (stored['kind']) {
    case 'subject':
      return sized({ kind: 'subject', iss, sub: nameIn(stored, 'sub'), atMs });
    case 'token':
      return sized({ kind: 'token', iss, jti: nameIn(stored, 'jti'), atMs });
    case 'issuer':
      return sized({ kind: 'issuer', iss, beforeMs: timeIn(stored, 'beforeMs'), atMs });
    case 'block':
      return sized({ kind: 'block', iss, sub: nameIn(stored, 'sub'), untilMs: timeIn(stored, 'untilMs'), atMs });
    case 'unblock':
      return sized({ kind: 'unblock', iss, sub: nameIn(stored, 'sub'), atMs });
    default:
      throw new TypeError('a revocation has no kind that this release knows');
  }
}

/**
 * The effect of two revocations with the same key, the second recorded after the first. A revocation can be recorded
 * late, or by a process whose clock is behind; it must not let tokens in again that another one has ended. A block
 * replaces the former one, so that it can be made shorter.
 */
export function joinRevocations(first: Revocation, second: Revocation): Revocation {
  return second.kind !== 'block' && momentOf(first) > momentOf(second) ? first : second;
}

function momentOf(revocation: Revocation): number {
  return revocation.kind === 'issuer' ? revocation.beforeMs : revocation.atMs;
}

const KEY_PREFIX = 'revocation ';

/** The key under which a log keeps a revocation. A block and its end have the same key. */
export function revocationKey(revocation: Revocation): string {
  const { kind, iss } = revocation;
  switch (kind) {
    case 'issuer':
      return keyOf(kind, iss);
    case 'token':
      return keyOf(kind, iss, revocation.jti);
    case 'subject':
      return keyOf(kind, iss, revocation.sub);
    default:
      return keyOf('block', iss, revocation.sub);
  }
}

/** Whether a key of the kept values is one of a revocation. */
export function isRevocationKey(key: string): boolean {
  return key.startsWith(KEY_PREFIX);
}

/** Every key under which a revocation of an identity can be. */
export function revocationKeysOf(identity: { iss: string; sub: string; jti?: string | undefined }): string[] {
  const { iss, sub, jti } = identity;
  const keys = [keyOf('subject', iss, sub), keyOf('block', iss, sub), keyOf('issuer', iss)];
  return jti === undefined ? keys : [...keys, keyOf('token', iss, jti)];
}

function keyOf(...names: readonly string[]): string {
  return KEY_PREFIX + JSON.stringify(names);
}

function sized(revocation: Revocation): Revocation {
  const bytes = utf8Length(revocationKey(revocation));
  if (bytes <= KEY_BYTES) return revocation;
  throw new RangeError(
    `the names of this revocation take ${bytes} bytes as JSON; the limit is ${KEY_BYTES}: revoke by iss and issuedBefore`,
  );
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError(`${what} needs an object with iss`);
}

function membersOf(value: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
  const members = objectOf(value, what);
  // A mistyped member would be ignored, and more or less would be revoked than was meant.
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown === undefined) return members;
  throw new TypeError(`${what} has no member ${JSON.stringify(unknown.slice(0, 80))}; it has ${known.join(', ')}`);
}

function nameIn(members: Readonly<Record<string, unknown>>, name: string): string {
  const value = members[name];
  if (typeof value === 'string' && value !== '' && !LONE_SURROGATE.test(value)) return value;
  throw new TypeError(`${name} must be a non-empty string`);
}

function timeIn(members: Readonly<Record<string, unknown>>, name: string): number {
  const value = members[name];
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms === 'number' && ms >= 0 && ms <= LAST_MS) return ms;
  throw new TypeError(`${name} must be a date, or milliseconds since 1970`);
}
