import { TOKENS } from '../../../core/incoming/request-budget.js';
import { TokenBucket } from '../../../core/incoming/token-bucket.js';
import type { Refusal } from '../../../core/ports/admission.js';
import type { Clock } from '../../../core/time/clock.js';
import type { EngineSocket } from './engine-writer.js';

/**
 * Limits the tokens that one client shows when it enters namespaces, as a connection of `pregon.v1` is limited in its
 * `auth` frames: each token is verified, or the application is asked about it.
 */
export class ShownTokens {
  readonly #clock: Clock;
  readonly #buckets = new WeakMap<EngineSocket, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a token. @returns a refusal if the client has shown too many */
  show(conn: EngineSocket): Refusal | undefined {
    const bucket = this.#buckets.get(conn) ?? new TokenBucket(TOKENS);
    this.#buckets.set(conn, bucket);
    const waitMs = bucket.tryTake(1, this.#clock.now());
    if (waitMs === 0) return undefined;
    const seconds = Math.ceil(waitMs / 1_000);
    const message = `too many tokens: try again in ${seconds} s`;
    return { status: 429, message, headers: { 'Retry-After': `${seconds}` } };
  }
}
