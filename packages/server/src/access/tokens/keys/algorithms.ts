/** What a signature algorithm needs of its key. */
interface KeyNeeds {
  /** `asymmetricKeyType` of Node.js; undefined for a shared secret. */
  readonly type?: 'rsa' | 'ec' | 'ed25519';
  /** The curve of an elliptic key, as Node.js names it. */
  readonly curve?: string;
  /** The hash of an HMAC, as Web Crypto names it. */
  readonly hash?: 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** The least size of a secret: that of the hash (RFC 7518 section 3.2). */
  readonly leastBytes?: number;
}

/**
 * The algorithms that an issuer may use, and the only kind of key that each accepts (RFC 7518 section 3.1, RFC 8037,
 * RFC 9864). There is no `none`.
 */
export const ALGORITHMS = {
  HS256: { hash: 'SHA-256', leastBytes: 32 },
  HS384: { hash: 'SHA-384', leastBytes: 48 },
  HS512: { hash: 'SHA-512', leastBytes: 64 },
  RS256: { type: 'rsa' },
  RS384: { type: 'rsa' },
  RS512: { type: 'rsa' },
  PS256: { type: 'rsa' },
  PS384: { type: 'rsa' },
  PS512: { type: 'rsa' },
  ES256: { type: 'ec', curve: 'prime256v1' },
  ES384: { type: 'ec', curve: 'secp384r1' },
  ES512: { type: 'ec', curve: 'secp521r1' },
  EdDSA: { type: 'ed25519' },
  Ed25519: { type: 'ed25519' },
} as const satisfies Record<string, KeyNeeds>;

export type Algorithm = keyof typeof ALGORITHMS;

export function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(ALGORITHMS, name);
}

export function needsOf(algorithm: Algorithm): KeyNeeds {
  return ALGORITHMS[algorithm];
}

/** Whether the algorithm uses a secret that issuer and gateway share. */
export function isSymmetric(algorithm: Algorithm): boolean {
  return needsOf(algorithm).type === undefined;
}
