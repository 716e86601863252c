import type { KeySource } from './keys/key-source.js';
import type { VerificationKey } from './keys/verification-key.js';
import type { TokenIdentity } from './token-claims.js';

/** The most tokens, and the most bytes of their texts: parsed claims take several times as much. */
const MOST = { tokens: 10_000, bytes: 8_388_608 };

/** What is remembered of a token: never its text. */
export interface VerifiedToken {
  readonly identity: TokenIdentity;
  readonly bytes: number;
  /** What proved it; once the issuer has replaced the key, the token is verified again. */
  readonly key: VerificationKey;
  readonly source: KeySource;
}

/** The tokens that were verified lately, by the digest of their text. When it is full, the oldest are dropped. */
export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();
  #bytes = 0;

  get size(): number {
    return this.#tokens.size;
  }

  get(digest: string): VerifiedToken | undefined {
    return this.#tokens.get(digest);
  }

  set(digest: string, token: VerifiedToken): void {
    this.delete(digest);
    this.#tokens.set(digest, token);
    this.#bytes += token.bytes;
    for (const oldest of this.#tokens.keys()) {
      if (this.#tokens.size <= MOST.tokens && this.#bytes <= MOST.bytes) return;
      this.delete(oldest);
    }
  }

  delete(digest: string): void {
    const token = this.#tokens.get(digest);
    if (!token) return;
    this.#tokens.delete(digest);
    this.#bytes -= token.bytes;
  }

  clear(): void {
    this.#tokens.clear();
    this.#bytes = 0;
  }
}
