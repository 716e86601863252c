/** How much is allowed: a steady rate, and a burst for a client that was quiet before. */
export interface RateLimit {
  /** 0 or Infinity for no limit. */
  readonly perSecond: number;
  /** The most that may come at once. */
  readonly burst: number;
}

/** Larger than the rounding error of the sums of times below. Without it, the last token of a burst may be refused. */
const ROUNDING_MS = 0.001;

/**
 * The arithmetic of a token bucket whose whole state is one number: the time at which the bucket will be full again (the generic cell
 * rate algorithm, ITU-T I.371). One object serves all connections, and each connection keeps only its number, which begins as 0.
 * Connections that need more than a number use {@link TokenBucket}.
 */
export class Rate {
  readonly #msPerToken: number;
  readonly #burstMs: number;

  constructor({ perSecond, burst }: RateLimit) {
    const isLimited = perSecond > 0 && Number.isFinite(perSecond);
    this.#msPerToken = isLimited ? 1_000 / perSecond : 0;
    this.#burstMs = isLimited ? burst * this.#msPerToken : Number.POSITIVE_INFINITY;
  }

  /** The new state after `amount` was taken, whether or not the bucket held that much: it may go into debt. */
  take(fullAt: number, amount: number, now: number): number {
    if (this.#msPerToken === 0) return fullAt;
    return Math.max(fullAt, now) + amount * this.#msPerToken;
  }

  /** How long until the bucket is out of debt, in milliseconds; 0 if something may be taken now. */
  waitMs(fullAt: number, now: number): number {
    const waitMs = fullAt - now - this.#burstMs;
    return waitMs > ROUNDING_MS ? waitMs : 0;
  }
}

/**
 * A token bucket with an injected clock: every method is given the time in milliseconds.
 *
 * @example
 * const bucket = new TokenBucket(new Rate({ perSecond: 200, burst: 1_000 }));
 * const waitMs = bucket.take(1, clock.now()); // handle this one now, and read on after `waitMs`
 * const retryAfterMs = bucket.tryTake(1, clock.now()); // 0: granted; else refuse, and say when it will be granted
 */
export class TokenBucket {
  readonly #rate: Rate;
  #fullAt = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /**
   * Takes in any case, also more than there is, for work that cannot be refused because it was received already.
   *
   * @returns how long to wait before the next take; 0 if the bucket is not in debt
   */
  take(amount: number, now: number): number {
    this.#fullAt = this.#rate.take(this.#fullAt, amount, now);
    return this.#rate.waitMs(this.#fullAt, now);
  }

  /**
   * Takes only if the bucket holds that much, for requests that can be refused.
   *
   * @returns 0 if it was taken; else nothing was taken, and the same call is granted after so many milliseconds
   */
  tryTake(amount: number, now: number): number {
    const fullAt = this.#rate.take(this.#fullAt, amount, now);
    const waitMs = this.#rate.waitMs(fullAt, now);
    if (waitMs === 0) this.#fullAt = fullAt;
    return waitMs;
  }

  /** Whether it may be dropped: a new bucket would be the same. */
  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
