import { decodeJwt, SignJWT } from 'jose';
import type { Random } from '../../random.js';
import { ISSUER, type Rights } from '../../rights.js';

/** The shortest and the longest life of a token. */
const LIFETIME_S = [5, 30] as const;

/** The share of expired tokens that a user replaces before a gateway refuses them. */
const NOTICES_EXPIRY = 0.7;

export interface Token {
  readonly text: string;
  readonly rights: Rights;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface UserOptions {
  /** The subject of all tokens. */
  readonly name: string;
  /** The first token has the first of them, every later token any of them. */
  readonly rights: readonly [Rights, ...Rights[]];
}

/** The owner of tokens, as a page with its own sign-in: tokens are short, and a new one may have other rights. */
export class User {
  readonly name: string;
  readonly #rights: UserOptions['rights'];
  readonly #secret: Uint8Array;
  readonly #random: Random;
  readonly #watchers: ((token: Token) => void)[] = [];
  #current: Promise<Token> | undefined;
  #last: Rights | undefined;
  #settled = false;
  /** A token that a gateway may not have accepted yet. */
  #fresh: Token | undefined;

  constructor({ name, rights }: UserOptions, secret: Uint8Array, random: Random) {
    this.name = name;
    this.#rights = rights;
    this.#secret = secret;
    this.#random = random;
  }

  /** The topics that its first token allows. */
  get firstTopics(): readonly string[] {
    return this.#rights[0].topics;
  }

  /** Calls `watch` for each new token, before it is used. */
  watch(watch: (token: Token) => void): void {
    this.#watchers.push(watch);
  }

  /** The token for a new connection. The former connection must have ended. */
  async token(): Promise<Token> {
    const current = await this.#current;
    if (current && (Date.now() < current.expiresAtMs || !this.#random.chance(NOTICES_EXPIRY))) return current;
    this.#current = this.#sign();
    this.#announce(await this.#current);
    return this.#current;
  }

  /** A new token, for the open connection or the next one. It counts when a gateway has accepted it. */
  async freshToken(): Promise<Token> {
    this.#fresh = await this.#sign();
    return this.#fresh;
  }

  /** A gateway has accepted the latest token. */
  accepted(): void {
    if (this.#fresh) this.#announce(this.#fresh);
    this.#fresh = undefined;
  }

  /** Whether a new token may replace the former one, with other rights, at any moment. */
  get isRenewing(): boolean {
    return this.#fresh !== undefined;
  }

  /** From then on the rights stay the same. */
  settle(): void {
    this.#settled = true;
  }

  /** The gateway does not accept the current token any more. */
  discard(): void {
    this.#current = undefined;
  }

  #nextRights(): Rights {
    if (this.#last === undefined) return this.#rights[0];
    return this.#settled ? this.#last : this.#random.pick(this.#rights);
  }

  async #sign(): Promise<Token> {
    const rights = this.#nextRights();
    this.#last = rights;
    const text = await new SignJWT(rights.claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setSubject(this.name)
      .setIssuedAt()
      .setExpirationTime(`${this.#random.integer(...LIFETIME_S)} s`)
      .sign(this.#secret);
    const { iat = 0, exp = 0 } = decodeJwt(text);
    return { text, rights, issuedAtMs: iat * 1_000, expiresAtMs: exp * 1_000 };
  }

  #announce(token: Token): void {
    for (const watch of this.#watchers) watch(token);
  }
}
