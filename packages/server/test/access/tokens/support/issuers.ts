import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

/** 2026-01-01, in milliseconds: the time of day in these tests. */
export const NOW_MS = Date.UTC(2026, 0, 1);
export const NOW_S = NOW_MS / 1_000;

export const SECRET = 'a secret of more than thirty-two bytes, only for tests';

/** An issuer that signs with a key of its own. */
export interface TestIssuer {
  readonly algorithm: string;
  readonly kid: string;
  readonly publicPem: string;
  readonly publicJwk: JWK;
  /** Signs claims as they are. */
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

export async function testIssuer(algorithm: string, kid = `${algorithm}-1`): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return {
    algorithm,
    kid,
    publicPem: await exportSPKI(publicKey),
    publicJwk,
    sign: (claims, header = {}) => sign(claims, privateKey, { alg: algorithm, kid, ...header }),
  };
}

/** The claims of a token that is valid for an hour. */
export function claimsOf(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { iss: 'shop', sub: 'ada', iat: NOW_S, exp: NOW_S + 3_600, ...more };
}

/** A token signed with {@link SECRET}, or another one. */
export function signHmac(
  claims: Record<string, unknown>,
  header: Partial<JWTHeaderParameters> = {},
  secret: string = SECRET,
): Promise<string> {
  return sign(claims, new TextEncoder().encode(secret), { alg: 'HS256', ...header });
}

function sign(
  claims: Record<string, unknown>,
  key: CryptoKey | Uint8Array,
  header: JWTHeaderParameters,
): Promise<string> {
  const crit = header.crit ? { crit: Object.fromEntries(header.crit.map((name) => [name, true])) } : {};
  return new SignJWT(claims).setProtectedHeader(header).sign(key, crit);
}

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** A logger that keeps its lines. */
export function keptLines() {
  const lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, logger: { warn: at('warn'), info: at('info') } };
}
