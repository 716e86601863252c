import { createPublicKey, type KeyObject } from 'node:crypto';
import { decodeUtf8 } from '../../../core/json-input.js';
import { isRecord } from '../json-members.js';
import type { Algorithm } from './algorithms.js';
import { publicKeys, secretKeys, type VerificationKey } from './verification-key.js';

/** What a text of the configuration, or a file, contains. */
export type KeyForm = 'secret' | 'public key';

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----/g;

/** SubjectPublicKeyInfo, PKCS #1, and an X.509 certificate (RFC 7468 sections 5 and 13, RFC 8017 appendix A). */
const PUBLIC_LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE'];

/** Members of a JWK that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Reads the keys in a text.
 *
 * @throws TypeError that says what is wrong with the text, but nothing of its content
 */
export async function keysInText(
  form: KeyForm,
  text: Uint8Array,
  algorithms: ReadonlySet<Algorithm>,
): Promise<readonly VerificationKey[]> {
  if (form === 'secret') {
    if (pemLabels(text).length > 0) {
      throw new TypeError('the secret is a PEM key or certificate: name it as publicKey or publicKeyFile');
    }
    return secretKeys(text, algorithms);
  }
  const { key, kid } = publicKeyIn(text);
  const keys = await publicKeys(key, kid, algorithms);
  if (keys.length > 0) return keys;
  throw new TypeError(`the key is of the kind ${kindOf(key)}, which none of the listed algorithms uses`);
}

/** A public key of a JSON Web Key (RFC 7517). @throws TypeError if it is none, or is a private key */
export function publicKeyOf(jwk: Readonly<Record<string, unknown>>): KeyObject {
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    throw new TypeError('the JSON Web Key is private or secret; only the public half belongs here');
  }
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    // The error of Node.js repeats values of the key.
    throw new TypeError('the JSON Web Key is not a valid public key');
  }
}

function publicKeyIn(bytes: Uint8Array): { readonly key: KeyObject; readonly kid: string | undefined } {
  const text = decodeUtf8(bytes)?.trim() ?? '';
  if (text.startsWith('{')) {
    const jwk = jsonObject(text);
    const { kid } = jwk;
    if (kid !== undefined && typeof kid !== 'string') throw new TypeError('kid of the JSON Web Key is not a string');
    return { key: publicKeyOf(jwk), kid };
  }
  return { key: publicKeyOfPem(text), kid: undefined };
}

function publicKeyOfPem(text: string): KeyObject {
  const labels = pemLabels(text);
  const [label, ...more] = labels;
  if (label === undefined) throw new TypeError('it is neither a key in PEM form nor a JSON Web Key');
  if (labels.some((one) => one.includes('PRIVATE'))) {
    throw new TypeError('it contains a private key; only the public half belongs here');
  }
  if (more.length > 0) throw new TypeError('it contains several PEM blocks; use a list of files, with one key each');
  if (!PUBLIC_LABELS.includes(label)) throw new TypeError('it is not a public key in PEM form');
  try {
    return createPublicKey(text);
  } catch {
    throw new TypeError('its PEM block is not a valid public key');
  }
}

function pemLabels(text: string | Uint8Array): string[] {
  const searched = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  return [...searched.matchAll(PEM_BLOCK)].map(([, label = '']) => label);
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // The error would repeat the text.
  }
  throw new TypeError('it is not a JSON Web Key: its JSON is invalid');
}

function kindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const curve = asymmetricKeyDetails?.namedCurve;
  return curve === undefined ? `${asymmetricKeyType}` : `${asymmetricKeyType} ${curve}`;
}
