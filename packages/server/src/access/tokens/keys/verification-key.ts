import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { type Algorithm, isSymmetric, needsOf } from './algorithms.js';
import { type CheckSignature, publicKeyCheck, secretCheck } from './jose.js';

/** A key for exactly one algorithm: the token does not choose what its signature is checked with. */
export interface VerificationKey {
  /** Equal for equal keys, so that a new key set keeps what it has in common with the old one. */
  readonly id: string;
  readonly algorithm: Algorithm;
  /** The name by which tokens mean this key (RFC 7515 section 4.1.4). */
  readonly kid: string | undefined;
  readonly check: CheckSignature;
}

/** Least and most bits of an RSA key (RFC 7518 section 3.3); the effort of a check grows with the square. */
const RSA_BITS = { least: 2_048, most: 8_192 };

/** @throws TypeError if the secret is too short for one of the algorithms */
export function secretKeys(secret: Uint8Array, algorithms: Iterable<Algorithm>): Promise<VerificationKey[]> {
  const symmetric = [...algorithms].filter(isSymmetric);
  for (const algorithm of symmetric) {
    const { leastBytes = 0 } = needsOf(algorithm);
    if (secret.length >= leastBytes) continue;
    throw new TypeError(
      `the secret has ${secret.length} bytes, and ${algorithm} needs at least ${leastBytes} (RFC 7518 section 3.2)`,
    );
  }
  const id = digest(secret);
  return Promise.all(
    symmetric.map(async (algorithm) => ({
      id: `${algorithm} ${id}`,
      algorithm,
      kid: undefined,
      check: await secretCheck(secret, algorithm),
    })),
  );
}

/**
 * One verification key for each algorithm that suits the public key; none if no algorithm does.
 *
 * @param known keys that were imported before, which are taken again
 * @throws TypeError if an RSA key is too short or too long
 */
export function publicKeys(
  key: KeyObject,
  kid: string | undefined,
  algorithms: Iterable<Algorithm>,
  known: ReadonlyMap<string, VerificationKey> = new Map(),
): Promise<VerificationKey[]> {
  const suitable = [...algorithms].filter((algorithm) => suits(key, algorithm));
  if (suitable.length === 0) return Promise.resolve([]);
  assertSize(key);
  const bytes = digest(key.export({ type: 'spki', format: 'der' }));
  return Promise.all(
    suitable.map(async (algorithm) => {
      const id = `${algorithm} ${bytes} ${kid ?? ''}`;
      return known.get(id) ?? { id, algorithm, kid, check: await publicKeyCheck(key, algorithm) };
    }),
  );
}

function suits({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, algorithm: Algorithm): boolean {
  const { type, curve } = needsOf(algorithm);
  return type !== undefined && type === asymmetricKeyType && curve === asymmetricKeyDetails?.namedCurve;
}

function assertSize({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): void {
  if (asymmetricKeyType !== 'rsa') return;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits >= RSA_BITS.least && bits <= RSA_BITS.most) return;
  throw new TypeError(`the RSA key has ${bits} bits; it must have from ${RSA_BITS.least} to ${RSA_BITS.most}`);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
