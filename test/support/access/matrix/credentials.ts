import { createHmac } from 'node:crypto';
import { ISSUER, SECRET } from '../tokens.js';

/** A second issuer that the gateway knows, and that no rule with claims names. */
export const PARTNER = 'partner';
export const PARTNER_SECRET = 'another secret of at least 32 bytes';

/** The client that a token proves. */
export interface Known {
  readonly iss: string;
  readonly sub: string;
  /** The claim `role`. */
  readonly role?: string;
  /** Whether its subject can be a word of a topic. */
  readonly isWord?: false;
}

/** Why the gateway takes no notice of what a token says. */
export type Flaw = 'invalid' | 'expired';

/** What a client shows, and what it then is: known, or nobody, or refused. */
export interface Credential {
  readonly token: string | undefined;
  readonly is: Known | 'nobody' | Flaw;
}

const NOW = Math.floor(Date.now() / 1_000);
const REGISTERED = { iss: ISSUER, sub: 'ada', iat: NOW, exp: NOW + 3_600 };

interface Making {
  readonly header?: object;
  readonly secret?: string;
  readonly hash?: 'sha256' | 'sha512';
}

/** Tokens are put together by hand here, because no library makes most of them. */
function token(claims: object, { header = {}, secret = SECRET, hash = 'sha256' }: Making = {}): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', ...header })}.${encode({ ...REGISTERED, ...claims })}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

function known(is: Known, making: Making = {}): Credential {
  const { iss, sub, role } = is;
  return { token: token({ iss, sub, role, org: { id: 7 } }, making), is };
}

const bad = (text: string, is: Flaw = 'invalid'): Credential => ({ token: text, is });

export const CREDENTIALS: Readonly<Record<string, Credential>> = {
  'no token': { token: undefined, is: 'nobody' },
  ada: known({ iss: ISSUER, sub: 'ada' }),
  'an admin': known({ iss: ISSUER, sub: 'grace', role: 'admin' }),
  'ada of another issuer': known({ iss: PARTNER, sub: 'ada', role: 'admin' }, { secret: PARTNER_SECRET }),
  'a subject that is a wildcard': known({ iss: ISSUER, sub: '#', isWord: false }),
  'an expired token': bad(token({ iat: NOW - 7_200, exp: NOW - 3_600 }), 'expired'),
  'a token that is not yet valid': bad(token({ nbf: NOW + 3_600 })),
  'a token for longer than allowed': bad(token({ exp: NOW + 30 * 86_400 })),
  'a token for another audience': bad(token({ aud: 'mail' })),
  'a token without a subject': bad(token({ sub: undefined })),
  'a token without an expiry': bad(token({ exp: undefined })),
  'a forged signature': bad(token({}, { secret: PARTNER_SECRET })),
  'an unknown issuer': bad(token({ iss: 'nobody' })),
  'the issuer of another secret': bad(token({ iss: PARTNER })),
  'alg none': bad(`${token({}, { header: { alg: 'none' } }).replace(/[^.]*$/, '')}`),
  'an algorithm that is not configured': bad(token({}, { header: { alg: 'HS512' }, hash: 'sha512' })),
  'a critical header': bad(token({}, { header: { crit: ['exp'] } })),
  'a key of its own': bad(token({}, { header: { jwk: { kty: 'oct', k: 'AAAA' } } })),
  'a changed payload': bad(
    token({}).replace(
      /\.[^.]*\./,
      `.${Buffer.from(JSON.stringify({ ...REGISTERED, sub: 'eve' })).toString('base64url')}.`,
    ),
  ),
  'no token at all but text': bad('nonsense'),
};
