import { topicWord } from '@pregon/protocol';
import type { Identity } from '../../core/ports/admission.js';
import type { ClaimValue } from './rule.js';

/** A claim whose value cannot be a word of a topic. */
export const UNUSABLE = Symbol('unusable');

/**
 * The value of a claim. `sub` and `iss` are those of the identity, whatever its claims say.
 *
 * @param name the name of a claim, or a path of names with dots between them. A claim with the whole name comes first: some issuers name
 *   claims by URLs
 * @returns undefined if the identity has no such claim, or it is null
 */
export function claimOf({ sub, iss, claims = {} }: Identity, name: string): unknown {
  if (name === 'sub') return sub;
  if (name === 'iss') return iss;
  return memberOf(claims, name) ?? nestedOf(claims, name);
}

function nestedOf(claims: object, path: string): unknown {
  if (!path.includes('.')) return undefined;
  let value: unknown = claims;
  for (const name of path.split('.')) value = memberOf(value, name);
  return value;
}

/** Only what the issuer has said: nothing inherited, and no part of a string or a list. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value ?? undefined;
}

/**
 * The value of a claim as one word of a topic.
 *
 * @returns undefined if the identity has no such claim
 */
export function wordOfClaim(identity: Identity, name: string): string | typeof UNUSABLE | undefined {
  const value = claimOf(identity, name);
  if (value === undefined) return undefined;
  if (typeof value === 'string') return wordOfText(value);
  // Beyond the safe integers, different numbers of the token would be the same here.
  return Number.isSafeInteger(value) ? String(value) : UNUSABLE;
}

/** `*` and `#` could be encoded, but a token with such a value is an attempt to read the topics of others. */
function wordOfText(text: string): string | typeof UNUSABLE {
  if (text === '*' || text === '#') return UNUSABLE;
  try {
    return topicWord(text);
  } catch {
    return UNUSABLE;
  }
}

/** Whether a claim has one of these values: the claim itself, an element of it, or a word of `scope`. */
export function hasValue(identity: Identity, name: string, values: readonly ClaimValue[]): boolean {
  const claim = claimOf(identity, name);
  if (claim === undefined) return false;
  const elements: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  if (values.some((value) => elements.includes(value))) return true;
  if (name !== 'scope' || typeof claim !== 'string') return false;
  const words = claim.split(' ');
  return values.some((value) => typeof value === 'string' && value !== '' && words.includes(value));
}
