import { messageOf, toError } from '@pregon/protocol';
import { Backoff } from '../../../core/time/backoff.js';
import type { Clock } from '../../../core/time/clock.js';
import type { Fetch } from '../../download.js';
import { keysUnavailable } from '../token-refusal.js';
import type { Algorithm } from './algorithms.js';
import { fetchJwks } from './fetch-jwks.js';
import { keySetOf } from './jwks.js';
import { KeySet } from './key-set.js';
import type { FoundKeys, KeyLogger, KeySource } from './key-source.js';
import type { VerificationKey } from './verification-key.js';

/** After a fetch, an unknown key name does not cause another one for this long. */
const COOL_DOWN_MS = 30_000;

/** How often the set is fetched again, so that a key which the issuer removed is trusted no longer. */
const REFRESH_MS = 600_000;

/** The last good set is used for this long if no newer one can be fetched. */
const MOST_AGE_MS = 86_400_000;

/** Without any set, the first pause between two attempts; it doubles up to the cool-down. */
const FIRST_PAUSE_MS = 1_000;

const EMPTY = new KeySet([]);

export interface JwksKeysOptions {
  readonly issuer: string;
  readonly url: string;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly clock: Clock;
  readonly logger: KeyLogger;
  readonly fetch: Fetch;
}

/**
 * The keys of an issuer, fetched from its key set (RFC 7517). One fetch serves all who wait. The first begins at once,
 * so that the keys are there when the first client comes; a set that cannot be fetched does not keep a gateway from
 * starting.
 */
export class JwksKeys implements KeySource {
  readonly #options: JwksKeysOptions;
  readonly #backoff = new Backoff(FIRST_PAUSE_MS, COOL_DOWN_MS, Math.random);
  readonly #closing = new AbortController();
  #set = EMPTY;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  /** No fetch before this, unless the operator asks for it. */
  #nextFetchAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #cancelRefresh: (() => void) | undefined;
  /** Whether the last fetch failed. */
  #hasFailed = false;
  /** What was logged last. */
  #problem: string | undefined;

  constructor(options: JwksKeysOptions) {
    this.#options = options;
    void this.#fetch();
  }

  find(algorithm: Algorithm, kid: string | undefined): FoundKeys | Promise<FoundKeys> {
    const found = this.#found(algorithm, kid);
    if (found.length > 0) return found;
    if (!this.#fetching && this.#waitMs() > 0) return keysUnavailable(this.#waitMs());
    return this.#fetch().then(() => this.#afterFetch(algorithm, kid));
  }

  holds(key: VerificationKey): boolean {
    return this.#isUsable() && this.#set.has(key);
  }

  async reload(): Promise<void> {
    await this.#fetching;
    await this.#fetch();
  }

  close(): void {
    this.#closing.abort();
    this.#cancelRefresh?.();
  }

  #found(algorithm: Algorithm, kid: string | undefined): readonly VerificationKey[] {
    if (!this.#isUsable()) return [];
    return kid === undefined ? this.#set.suitable(algorithm) : this.#set.named(algorithm, kid);
  }

  /** A key that is not in a set just fetched does not exist. If nothing could be fetched, nobody knows. */
  #afterFetch(algorithm: Algorithm, kid: string | undefined): FoundKeys {
    const found = this.#found(algorithm, kid);
    return found.length > 0 || !this.#hasFailed ? found : keysUnavailable(this.#waitMs());
  }

  #isUsable(): boolean {
    return this.#ageMs() < MOST_AGE_MS;
  }

  #ageMs(): number {
    return this.#options.clock.now() - this.#fetchedAtMs;
  }

  #waitMs(): number {
    return this.#nextFetchAtMs - this.#options.clock.now();
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** Never rejects. */
  async #fetchNow(): Promise<void> {
    const { url, algorithms, clock, fetch } = this.#options;
    const startedAtMs = clock.now();
    this.#cancelRefresh?.();
    try {
      const answer = await fetchJwks(url, fetch, clock, this.#closing.signal);
      this.#set = await keySetOf(answer, algorithms, this.#set);
      this.#fetchedAtMs = clock.now();
      this.#nextFetchAtMs = startedAtMs + COOL_DOWN_MS;
      this.#backoff.reset();
      this.#hasFailed = false;
      this.#refreshAfter(REFRESH_MS);
      this.#tell(undefined);
    } catch (error) {
      const pauseMs = this.#isUsable() ? COOL_DOWN_MS : this.#backoff.nextMs();
      this.#nextFetchAtMs = clock.now() + pauseMs;
      this.#hasFailed = true;
      this.#refreshAfter(pauseMs);
      if (!this.#closing.signal.aborted) this.#tell(problemOf(error));
    }
  }

  #refreshAfter(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#cancelRefresh = this.#options.clock.after(ms, () => void this.#fetch());
  }

  /** One line when fetching begins to fail, or fails in another way; one when it is good again. */
  #tell(problem: string | undefined): void {
    const { issuer, url, logger } = this.#options;
    const before = this.#problem;
    this.#problem = problem;
    if (problem === before) return;
    const fields = { issuer, jwks: withoutQuery(url) };
    if (problem === undefined) return logger.info(fields, 'the key set of the issuer was fetched again');
    const effect = this.#isUsable() ? 'the last good one stays in use' : 'its tokens are answered with 503';
    logger.warn({ ...fields, problem }, `the key set of the issuer cannot be fetched; ${effect}`);
  }
}

/** `fetch` says only "fetch failed"; its cause says why. */
function problemOf(error: unknown): string {
  const { message, cause } = toError(error);
  return cause === undefined ? message : `${message}: ${messageOf(cause)}`;
}

/** A query may hold a key of the operator's. */
function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}
