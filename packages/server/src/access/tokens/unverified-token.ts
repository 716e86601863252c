import { jsonMembers } from './json-members.js';
import { REFUSED, type TokenRefusal } from './token-refusal.js';

/** The most characters of a token; each is one byte. */
export const MOST_TOKEN_BYTES = 8_192;

/** The parts of a token that say how to check it. Nothing of it is proven. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly kid: string | undefined;
  /** The `iss` of the payload: which issuer's keys to check the signature with. */
  readonly issuer: string;
}

/** A signed token in compact form (RFC 7515 section 3.1): three parts in base64url without padding. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Header members that would let a token name its own key, or change how it is read (RFC 7515 sections 4.1.2 to 4.1.6 and
 * 4.1.11, RFC 7797), and those of an encrypted token (RFC 7516).
 */
const FORBIDDEN_MEMBERS = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'enc', 'zip', 'epk', 'apu', 'apv', 'p2s', 'p2c'];

/** RFC 7519 section 5.1 and RFC 9068 section 2.1; media types have no case. */
const TYPES = ['jwt', 'at+jwt'];

/**
 * Reads what is needed to find the key of a token. The time is bounded by the size of a token; no signature is checked.
 *
 * @returns a refusal if the token cannot be valid, whatever its key
 */
export function readUnverified(token: string): UnverifiedToken | TokenRefusal {
  if (token === '') return REFUSED.empty;
  if (token.length > MOST_TOKEN_BYTES) return REFUSED.size;
  if (!COMPACT.test(token)) return REFUSED.malformed;
  const [headerPart = '', payloadPart = '', signaturePart = ''] = token.split('.');
  // Bits that belong to no byte would let one signature have several texts (RFC 4648 section 3.5).
  if (decodeBase64url(signaturePart) === undefined) return REFUSED.malformed;
  const header = jsonMembers(decodeBase64url(headerPart));
  const payload = jsonMembers(decodeBase64url(payloadPart));
  if (!header || !payload) return REFUSED.malformed;
  const { alg, typ, kid } = header;
  if (FORBIDDEN_MEMBERS.some((name) => Object.hasOwn(header, name))) return REFUSED.header;
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return REFUSED.header;
  if (typ !== undefined && !isTokenType(typ)) return REFUSED.tokenType;
  if (typeof payload['iss'] !== 'string') return REFUSED.claims;
  return { algorithm: alg, kid, issuer: payload['iss'] };
}

/** `application/` may be left out (RFC 7515 section 4.1.9). */
function isTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && TYPES.includes(typ.toLowerCase().replace(/^application\//, ''));
}

/** @returns undefined if the text is not the one canonical encoding of its bytes */
function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
