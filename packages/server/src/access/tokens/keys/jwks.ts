import { isRecord } from '../json-members.js';
import type { Algorithm } from './algorithms.js';
import { KeySet } from './key-set.js';
import { publicKeyOf } from './key-text.js';
import { publicKeys, type VerificationKey } from './verification-key.js';

/** The most keys that are read of a set. Issuers have two or three; each costs some 100 µs to import. */
const MOST_KEYS = 64;

/**
 * The usable keys of a JSON Web Key Set (RFC 7517). A key that is no public signature key, or that no accepted
 * algorithm uses, is left out, as section 5 demands.
 *
 * @param before the previous set; keys that are in both stay the same objects
 * @throws Error if the value is no key set, is too large, or has no usable key
 */
export async function keySetOf(value: unknown, algorithms: ReadonlySet<Algorithm>, before: KeySet): Promise<KeySet> {
  const { keys } = isRecord(value) ? value : {};
  if (!Array.isArray(keys)) throw new Error('the answer is not a JSON Web Key Set: it has no list "keys"');
  if (keys.length > MOST_KEYS) throw new Error(`the key set has more than ${MOST_KEYS} keys`);
  const found: VerificationKey[] = [];
  for (const key of keys) found.push(...(await keysOf(key, algorithms, before)));
  if (found.length === 0) throw new Error('the key set has no key that an accepted algorithm can use');
  return new KeySet(found);
}

async function keysOf(
  jwk: unknown,
  algorithms: ReadonlySet<Algorithm>,
  before: KeySet,
): Promise<readonly VerificationKey[]> {
  if (!isRecord(jwk) || !isForSignatures(jwk)) return [];
  const { kid, alg } = jwk;
  if (kid !== undefined && typeof kid !== 'string') return [];
  const accepted = alg === undefined ? algorithms : [...algorithms].filter((algorithm) => algorithm === alg);
  try {
    return await publicKeys(publicKeyOf(jwk), kid, accepted, before.byId);
  } catch {
    return [];
  }
}

/** `use` and `key_ops` are optional (RFC 7517 sections 4.2 and 4.3). */
function isForSignatures({ use, key_ops: operations }: Readonly<Record<string, unknown>>): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}
