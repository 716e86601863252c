import { createHmac, sign } from 'node:crypto';
import { type Fields, numberOf, textOf } from '../processes/messages.js';

/** The issuer of the tokens of a benchmark. */
export const ISSUER = 'bench';

/** How the connections of a load client get their tokens. */
export interface TokenPlan {
  readonly algorithm: 'HS256' | 'ES256';
  /** The secret, or the private key in PEM form. */
  readonly key: string;
  /** What stands before the number of the connection in `sub`. */
  readonly subject: string;
  /** The shortest time to the expiry, in seconds. */
  readonly expiresInS: number;
  /** Over how many seconds more the expiries are spread. */
  readonly spreadS: number;
}

/** Tells tokens of the same connection in different rounds apart: a gateway remembers a token that it has verified. */
let serial = 0;

/** The plan in a question to a load process; undefined if its connections bring no tokens. */
export function tokenPlanOf(fields: Fields): TokenPlan | undefined {
  if (fields['key'] === undefined) return undefined;
  return {
    algorithm: textOf(fields, 'algorithm') === 'ES256' ? 'ES256' : 'HS256',
    key: textOf(fields, 'key'),
    subject: textOf(fields, 'subject'),
    expiresInS: numberOf(fields, 'expiresInS'),
    spreadS: numberOf(fields, 'expirySpreadS'),
  };
}

/** A token of the connection with this number, which no connection has had before. */
export function signToken({ algorithm, key, subject, expiresInS, spreadS }: TokenPlan, connection: number): string {
  serial += 1;
  const now = Math.floor(Date.now() / 1_000);
  const exp = now + Math.round(expiresInS + spreadS * Math.random());
  const claims = { iss: ISSUER, sub: `${subject}${connection}`, iat: now, exp, jti: `${process.pid}-${serial}` };
  const text = `${encode({ alg: algorithm })}.${encode(claims)}`;
  const signature =
    algorithm === 'HS256'
      ? createHmac('sha256', key).update(text).digest()
      : sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
