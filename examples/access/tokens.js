import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const ISSUER = 'notes';
export const AUDIENCE = 'notes-live';

const KEY_ID = 'key-1';

/**
 * What an identity provider does: it signs tokens with a private key, and publishes the public one.
 *
 * @param seconds how long a token is valid
 */
export async function openTokens(seconds) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' }];
  return {
    keySet: { keys },
    sign(sub) {
      return new SignJWT()
        .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(sub)
        .setIssuedAt()
        .setExpirationTime(`${seconds}s`)
        .sign(privateKey);
    },
  };
}
