/** A steady rate, and a burst for a client that was quiet before. */
export interface RateLimit {
  /** 0 or Infinity for no limit. */
  readonly perSecond: number;
  /** The most tokens that can be taken at once. */
  readonly burst: number;
}

/**
 * A tolerance larger than the rounding errors of the times below. Without it, the last token of a burst may be refused.
 */
const ROUNDING_MS = 0.001;

/**
 * The arithmetic of a token bucket with a single number as its state: the time at which the bucket will be full again
 * (the generic cell rate algorithm, ITU-T I.371). One object serves all connections, and each connection keeps only its
 * number, which starts at 0. {@link TokenBucket} wraps the number in an object.
 */
export class Rate {
  readonly #msPerToken: number;
  readonly #burstMs: number;

  constructor({ perSecond, burst }: RateLimit) {
    const isLimited = perSecond > 0 && Number.isFinite(perSecond);
    this.#msPerToken = isLimited ? 1_000 / perSecond : 0;
    this.#burstMs = isLimited ? burst * this.#msPerToken : Number.POSITIVE_INFINITY;
  }

  /** Milliseconds from an empty bucket to a full one; Infinity if there is no limit. */
  get burstMs(): number {
    return this.#burstMs;
  }

  /** The new state after `amount` was taken, whether or not the bucket held that much: it may go into debt. */
  take(fullAt: number, amount: number, now: number): number {
    if (this.#msPerToken === 0) return fullAt;
    return Math.max(fullAt, now) + amount * this.#msPerToken;
  }

  /**
   * The new state after `amount` was taken elsewhere: as {@link Rate.take}, but the debt does not grow beyond what the
   * bucket repays in `maxDebtMs`.
   */
  charge(fullAt: number, amount: number, now: number, maxDebtMs: number): number {
    const most = now + this.#burstMs + maxDebtMs;
    return Math.max(fullAt, Math.min(this.take(fullAt, amount, now), most));
  }

  /** Milliseconds until the bucket is out of debt; 0 if tokens may be taken now. */
  waitMs(fullAt: number, now: number): number {
    const waitMs = fullAt - now - this.#burstMs;
    return waitMs > ROUNDING_MS ? waitMs : 0;
  }
}

/**
 * A token bucket without a clock of its own: every method takes the time in milliseconds.
 *
 * @example
 * const bucket = new TokenBucket(new Rate({ perSecond: 200, burst: 1_000 }));
 * const waitMs = bucket.take(1, clock.now()); // handle this frame now, and read the next one after `waitMs`
 * const retryAfterMs = bucket.tryTake(1, clock.now()); // 0: granted; else refuse, and report when to retry
 */
export class TokenBucket {
  readonly #rate: Rate;
  #fullAt = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /**
   * Takes tokens even if the bucket holds fewer: for work that was received already and cannot be refused.
   *
   * @returns milliseconds to wait before the next take; 0 if the bucket is not in debt
   */
  take(amount: number, now: number): number {
    this.#fullAt = this.#rate.take(this.#fullAt, amount, now);
    return this.#rate.waitMs(this.#fullAt, now);
  }

  /**
   * Takes tokens only if the bucket holds enough: for requests that can be refused.
   *
   * @returns 0 if the tokens were taken; otherwise the milliseconds after which the same call will be granted
   */
  tryTake(amount: number, now: number): number {
    const fullAt = this.#rate.take(this.#fullAt, amount, now);
    const waitMs = this.#rate.waitMs(fullAt, now);
    if (waitMs === 0) this.#fullAt = fullAt;
    return waitMs;
  }

  /** Whether the bucket is full. A full bucket can be dropped, because a new one is in the same state. */
  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
