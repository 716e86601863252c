import { hash } from 'node:crypto';
import { BoundedMap } from '../../core/bounded-map.js';
import type { Identity } from '../../core/ports/admission.js';
import type { Clock } from '../../core/time/clock.js';
import type { Fetch } from '../download.js';
import type { TokenOptions } from './issuer-options.js';
import { planTokens } from './issuer-plan.js';
import { jsonMembers } from './json-members.js';
import { type Algorithm, isAlgorithm } from './keys/algorithms.js';
import type { FoundKeys, KeyLogger, KeySource } from './keys/key-source.js';
import { openKeys } from './open-keys.js';
import { type ClaimRules, hasExpired, identityOf } from './token-claims.js';
import { REFUSED, type TokenRefusal } from './token-refusal.js';
import { MOST_TOKEN_BYTES, readUnverified } from './unverified-token.js';
import { VerifiedTokens } from './verified-tokens.js';

export interface TokenVerifierContext {
  /** For deadlines, pauses and the age of keys. */
  readonly clock: Clock;
  /** Told when keys cannot be read. No token, secret or key is ever in a line. */
  readonly logger: KeyLogger;
  /** For key sets. @default `fetch` of Node.js */
  readonly fetch?: Fetch;
  /** The time of day, in milliseconds since 1970-01-01 UTC. @default Date.now */
  readonly wallClock?: () => number;
}

/** About 1 MB. A token that is forgotten is verified again, and refused again. */
const MOST_EXPIRED = 10_000;

interface Issuer {
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly rules: ClaimRules;
  readonly keys: KeySource;
}

/**
 * Verifies JSON Web Tokens (RFC 7519, RFC 8725) of several issuers.
 *
 * - The configuration binds each key to its algorithms; what a header says only selects among them.
 * - A token is valid for one issuer: that of its `iss`.
 * - A verified token is remembered by its SHA-256 until it expires or its key is replaced; one that has expired is
 *   remembered as well, because its client may send it again and again.
 *
 * @example
 * const verifier = await TokenVerifier.open(
 *   { issuers: [{ issuer: 'https://login.example/', audience: 'pregon', jwks: 'https://login.example/jwks.json' }] },
 *   { clock: systemClock, logger },
 * );
 * const result = await verifier.verify(token);
 * if (isTokenRefusal(result)) console.log(result.error); // 'expired_token'
 * else console.log(result.sub); // '42'
 */
export class TokenVerifier {
  readonly #issuers: ReadonlyMap<string, Issuer>;
  readonly #wallClock: () => number;
  readonly #leewayMs: number;
  readonly #verified = new VerifiedTokens();
  /** When a token was found to have expired, by its digest. If the clock is set back, it is verified again. */
  readonly #expired = new BoundedMap<string, number>(MOST_EXPIRED);

  /**
   * Reads secrets and key files, and begins to fetch key sets. It does not wait for key sets: an issuer that cannot be
   * reached does not keep a gateway from starting.
   *
   * @throws TypeError | RangeError if an option is wrong
   * @throws PregonError CONFIG_INVALID if a key file cannot be used
   */
  static async open(options: TokenOptions, context: TokenVerifierContext): Promise<TokenVerifier> {
    const { clock, logger, fetch = globalThis.fetch, wallClock = Date.now } = context;
    const { issuers: plans, maxTokenLifetimeMs, leewayMs } = planTokens(options);
    const issuers = new Map<string, Issuer>();
    try {
      for (const plan of plans) {
        const { issuer, audiences, algorithms } = plan;
        const keys = await openKeys(plan, { clock, logger, fetch });
        issuers.set(issuer, { algorithms, rules: { issuer, audiences, maxTokenLifetimeMs, leewayMs }, keys });
      }
    } catch (error) {
      for (const { keys } of issuers.values()) keys.close();
      throw error;
    }
    return new TokenVerifier(issuers, leewayMs, wallClock);
  }

  private constructor(issuers: ReadonlyMap<string, Issuer>, leewayMs: number, wallClock: () => number) {
    this.#issuers = issuers;
    this.#leewayMs = leewayMs;
    this.#wallClock = wallClock;
  }

  /** How many verified tokens are remembered. */
  get remembered(): number {
    return this.#verified.size;
  }

  /**
   * Decides about a token. Without a promise if it was verified before, or if its text alone refuses it. Never throws,
   * and the promise never rejects.
   *
   * @returns the identity, which is frozen and has all claims of the token; or why the token is not accepted
   */
  verify(token: string): Identity | TokenRefusal | Promise<Identity | TokenRefusal> {
    if (token.length > MOST_TOKEN_BYTES) return REFUSED.size;
    const digest = hash('sha256', token, 'base64url');
    return this.#remembered(digest) ?? this.#verify(token, digest);
  }

  /** The identity of a token that was verified before, and is still valid. Verifies nothing. */
  find(token: string): Identity | undefined {
    if (token.length > MOST_TOKEN_BYTES) return undefined;
    const found = this.#remembered(hash('sha256', token, 'base64url'));
    return found && !('error' in found) ? found : undefined;
  }

  /** Reads all key files and key sets again. Never rejects: what cannot be read is logged, and the last good keys stay. */
  async reload(): Promise<void> {
    await Promise.all([...this.#issuers.values()].map(({ keys }) => keys.reload()));
  }

  /** Ends timers and requests, and forgets all tokens. */
  close(): void {
    for (const { keys } of this.#issuers.values()) keys.close();
    this.#verified.clear();
    this.#expired.clear();
  }

  #remembered(digest: string): Identity | TokenRefusal | undefined {
    const now = this.#wallClock();
    const known = this.#verified.get(digest);
    if (!known) return (this.#expired.get(digest) ?? Number.POSITIVE_INFINITY) <= now ? REFUSED.expired : undefined;
    const hasEnded = hasExpired(known.identity.expiresAtMs, this.#leewayMs, now);
    if (!hasEnded && known.source.holds(known.key)) return known.identity;
    this.#verified.delete(digest);
    if (!hasEnded) return undefined;
    this.#expired.set(digest, now);
    return REFUSED.expired;
  }

  #verify(token: string, digest: string): TokenRefusal | Promise<Identity | TokenRefusal> {
    const read = readUnverified(token);
    if ('error' in read) return read;
    const { algorithm, kid } = read;
    const issuer = this.#issuers.get(read.issuer);
    if (!issuer) return REFUSED.issuer;
    if (!isAlgorithm(algorithm) || !issuer.algorithms.has(algorithm)) return REFUSED.algorithm;
    const keys = this.#keysFor(issuer, algorithm, kid);
    if ('error' in keys) return keys;
    return this.#check(token, digest, issuer, keys);
  }

  #keysFor(issuer: Issuer, algorithm: Algorithm, kid: string | undefined): FoundKeys | Promise<FoundKeys> {
    const keys = issuer.keys.find(algorithm, kid);
    return Array.isArray(keys) && keys.length === 0 ? REFUSED.key : keys;
  }

  async #check(
    token: string,
    digest: string,
    { rules, keys: source }: Issuer,
    found: FoundKeys | Promise<FoundKeys>,
  ): Promise<Identity | TokenRefusal> {
    const keys = await found;
    if ('error' in keys) return keys;
    if (keys.length === 0) return REFUSED.key;
    for (const key of keys) {
      const payload = await key.check(token);
      if (!payload) continue;
      const claims = jsonMembers(payload);
      const now = this.#wallClock();
      const result = claims ? identityOf(claims, rules, now) : REFUSED.malformed;
      if (result === REFUSED.expired) this.#expired.set(digest, now);
      if (!('error' in result)) this.#verified.set(digest, { identity: result, bytes: token.length, key, source });
      return result;
    }
    return REFUSED.signature;
  }
}
