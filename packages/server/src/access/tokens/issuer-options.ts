/** An issuer whose tokens are accepted. Its keys come from exactly one place: a key set, a secret, or public keys. */
export interface IssuerOptions {
  /** Exactly the `iss` of its tokens (RFC 7519 section 4.1.1), at most 1,024 characters. */
  readonly issuer: string;
  /**
   * What a token must name in `aud` (RFC 7519 section 4.1.3), at least one of a list. Required with `jwks`, because a key
   * set signs the tokens of all applications of its issuer. @default tokens must not have `aud`
   */
  readonly audience?: string | readonly string[];
  /** The URL of the issuer's JSON Web Key Set (RFC 7517): https, or http on this machine. Redirects are not followed. */
  readonly jwks?: string;
  /** A secret that issuer and gateway share, for HS256: at least 32 bytes; a string counts as its UTF-8. */
  readonly secret?: string | Uint8Array;
  /**
   * A file with the secret, or several while it is replaced by a new one; line breaks at the end do not count. Read again
   * every 10 seconds. Replace it by renaming, so that no half of it is ever read.
   */
  readonly secretFile?: string | readonly string[];
  /** A public key: PEM (SPKI, PKCS #1 or certificate; RFC 7468), or the JSON text of a JSON Web Key. */
  readonly publicKey?: string;
  /** A file with such a key, or several while it is replaced by a new one. Read again every 10 seconds. */
  readonly publicKeyFile?: string | readonly string[];
  /**
   * The algorithms that the issuer signs with: HS256, HS384 or HS512 for secrets; otherwise RS, PS or ES with 256, 384 or
   * 512, EdDSA or Ed25519. Required for public keys. @default HS256 for secrets; RS256, ES256 and EdDSA for a key set
   */
  readonly algorithms?: readonly string[];
}

/** What tokens are accepted. */
export interface TokenOptions {
  /** At least one; each has another `issuer`. */
  readonly issuers: readonly IssuerOptions[];
  /** The most that may lie between `iat` and `exp`. A revocation is kept for this long. @default 86400000, a day */
  readonly maxTokenLifetimeMs?: number;
  /**
   * How far the clocks of issuer and gateway may differ, at most a minute. The rights of a connection outlive its token
   * by this time. @default 5000
   */
  readonly leewayMs?: number;
  /** The name of a cookie that may hold the token, such as `__Host-session`. @default no cookie is looked at */
  readonly cookie?: string;
}
