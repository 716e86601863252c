import { createHmac } from 'node:crypto';

/**
 * Signs a JSON Web Token with HS256 (RFC 7515 section 3.1, RFC 7518 section 3.2), for development and tests.
 *
 * @param secret at least 32 bytes; the caller checks that
 */
export function signHs256(claims: Readonly<Record<string, unknown>>, secret: Uint8Array): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
