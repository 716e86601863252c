import { type KeyObject, webcrypto } from 'node:crypto';
import { type Algorithm, needsOf } from './algorithms.js';

type Jose = typeof import('jose');

/** Checks the signature of a token in compact form. @returns the payload, or undefined if the signature is wrong */
export type CheckSignature = (token: string) => Promise<Uint8Array | undefined>;

let library: Promise<Jose> | undefined;

/** Loads the library for the first issuer: a gateway without tokens does not evaluate it. */
function loadJose(): Promise<Jose> {
  library ??= import('jose');
  return library;
}

/** Checks signatures made with a shared secret. @param algorithm one of HS256, HS384, HS512 */
export async function secretCheck(secret: Uint8Array, algorithm: Algorithm): Promise<CheckSignature> {
  const { hash } = needsOf(algorithm);
  if (hash === undefined) throw new TypeError(`${algorithm} does not use a secret`);
  // Imported once: the library would import plain bytes again for each token. The copy is one that nobody can change.
  const key = await webcrypto.subtle.importKey('raw', Uint8Array.from(secret), { name: 'HMAC', hash }, false, [
    'verify',
  ]);
  return check(key, algorithm);
}

/** Checks signatures made with the private half of a key. @throws Error if the key does not suit the algorithm */
export async function publicKeyCheck(key: KeyObject, algorithm: Algorithm): Promise<CheckSignature> {
  const { importJWK } = await loadJose();
  const imported = await importJWK({ ...key.export({ format: 'jwk' }), alg: algorithm }, algorithm);
  if (imported instanceof Uint8Array) throw new TypeError('a public key cannot be a secret');
  return check(imported, algorithm);
}

type VerificationKey = Exclude<Parameters<Jose['compactVerify']>[1], Uint8Array | ((...args: never) => unknown)>;

async function check(key: VerificationKey, algorithm: Algorithm): Promise<CheckSignature> {
  const { compactVerify } = await loadJose();
  const options = { algorithms: [algorithm] };
  return async (token) => {
    try {
      return (await compactVerify(token, key, options)).payload;
    } catch {
      // Whatever fails here, the signature is not proven. Errors of the library may name parts of the token.
      return undefined;
    }
  };
}
