import type { AdmissionRequest } from '../../core/ports/admission.js';
import { REFUSED, type TokenRefusal } from './token-refusal.js';

type Headers = AdmissionRequest['headers'];

/** RFC 9110 section 11.1: the name of a scheme has no case. Whatever begins with it means a bearer token. */
const BEARER = /^bearer(?![\w-])/i;

/** Query parameters that other systems take tokens from (RFC 6750 section 2.3), in lower case. */
const QUERY_NAMES = ['token', 'access_token'];

/** Whether the URL contains a token. Names are compared after decoding, in any case. */
export function hasTokenInUrl(url: string): boolean {
  const start = url.indexOf('?');
  if (start === -1) return false;
  const query = url.slice(start + 1);
  // Most queries have no such name, however it is encoded: nothing is decoded for them.
  if (!/token|%/i.test(query)) return false;
  for (const name of new URLSearchParams(query).keys()) if (QUERY_NAMES.includes(name.toLowerCase())) return true;
  return false;
}

/**
 * The token of `Authorization: Bearer` (RFC 6750 section 2.1).
 *
 * @returns undefined if the header is absent or has another scheme, such as the Basic of a proxy; a refusal if it has
 *   the scheme, and not exactly one token
 */
export function bearerToken({ authorization }: Headers): string | TokenRefusal | undefined {
  // Node.js keeps the first of several headers, HTTP/2 and some servers join them with a comma.
  const values: readonly unknown[] = Array.isArray(authorization) ? authorization : [authorization];
  const texts = values.filter((value) => typeof value === 'string').map((value) => value.trim());
  if (!texts.some((text) => BEARER.test(text))) return undefined;
  const [text = '', ...more] = texts;
  if (more.length > 0) return REFUSED.repeated;
  const token = text.replace(BEARER, '').trim();
  if (token === '') return REFUSED.empty;
  return /[\s,]/.test(token) ? REFUSED.repeated : token;
}

/**
 * The token of a cookie (RFC 6265 section 5.4).
 *
 * @returns undefined if there is no such cookie, or it is empty, as that of a session that ended; a refusal if there are
 *   two with different values: a site beside this one may have set the other
 */
export function cookieToken({ cookie }: Headers, name: string): string | TokenRefusal | undefined {
  if (cookie === undefined || !cookie.includes(name)) return undefined;
  let found: string | undefined;
  for (const pair of cookie.split(';')) {
    const at = pair.indexOf('=');
    if (at === -1 || pair.slice(0, at).trim() !== name) continue;
    const value = withoutQuotes(pair.slice(at + 1).trim());
    if (found !== undefined && value !== found) return REFUSED.repeated;
    found = value;
  }
  return found === '' ? undefined : found;
}

/** RFC 6265 section 4.1.1: a value may be in quotation marks. */
function withoutQuotes(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

/**
 * The token that a client sends in a message: `auth.token` of Socket.IO, or an `auth` frame of `pregon.v1`.
 *
 * @returns undefined if there is none; a refusal if it is not a string, or empty
 */
export function messageToken(token: unknown): string | TokenRefusal | undefined {
  if (token === undefined || token === null) return undefined;
  if (typeof token !== 'string') return REFUSED.malformed;
  return token === '' ? REFUSED.empty : token;
}
