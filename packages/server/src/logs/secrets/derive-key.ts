import { hkdfSync } from 'node:crypto';

/** The uses of derived keys. A new use gets its own key, which reveals nothing about the others. */
export type KeyUse = 'positions' | 'private session ids' | 'tickets';

/**
 * Derives the key for one use from the secret of a log (HKDF with SHA-256, RFC 5869).
 *
 * @param secret 32 random bytes, or the text that an operator configured for all gateways
 */
export function deriveKey(secret: Uint8Array | string, use: KeyUse, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `pregon ${use}`, bytes));
}
