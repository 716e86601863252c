import { SignJWT } from 'jose';

/** The issuer of the tests. */
export const ISSUER = 'shop';

/** A secret for HS256. */
export const SECRET = 'a secret of at least thirty-two bytes';

export interface TokenClaims {
  readonly [claim: string]: unknown;
  readonly sub?: string;
}

export interface SignOptions {
  /** In seconds from now; negative for a token that has expired. @default 3600 */
  readonly expiresInS?: number;
  /** Seconds since the issue; negative for an issue in the future. @default 0, or a second before the expiry */
  readonly issuedAgoS?: number;
  readonly issuer?: string;
  readonly secret?: string;
}

/** A signed token with these claims. */
export function signToken(
  { sub = 'ada', ...claims }: TokenClaims = {},
  { expiresInS = 3_600, issuedAgoS = Math.max(0, 1 - expiresInS), issuer = ISSUER, secret = SECRET }: SignOptions = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setSubject(sub)
    .setIssuedAt(now - issuedAgoS)
    .setExpirationTime(now + expiresInS)
    .sign(new TextEncoder().encode(secret));
}
