import { PregonError, type Since } from '@pregon/protocol';
import type { Intake } from './intake.js';
import { Rate, TokenBucket } from './token-bucket.js';

/**
 * How many requests over its rate limit a connection may make before it is closed. Some thousands: a client may open
 * many subscriptions at once.
 */
const EXCESS = new Rate({ perSecond: 50, burst: 5_000 });

/** How many unreadable frames a connection may send before it is closed. */
const BAD_FRAMES = new Rate({ perSecond: 1, burst: 20 });

/** How many tokens a connection may show while it is open: verifying one costs a tenth of a millisecond of CPU. */
export const TOKENS = new Rate({ perSecond: 1 / 6, burst: 10 });

/** The rate limits of one connection for subscriptions: of any kind, with `since`, and with a snapshot. */
export class RequestBudget {
  readonly #intake: Intake;
  readonly #subscribes: TokenBucket;
  readonly #replays: TokenBucket;
  readonly #snapshots: TokenBucket;
  readonly #tokens = new TokenBucket(TOKENS);
  readonly #excess = new TokenBucket(EXCESS);
  readonly #badFrames = new TokenBucket(BAD_FRAMES);

  constructor(intake: Intake) {
    this.#intake = intake;
    this.#subscribes = new TokenBucket(intake.subscribes);
    this.#replays = new TokenBucket(intake.replays);
    this.#snapshots = new TokenBucket(intake.snapshots);
  }

  /**
   * Counts a subscription before it is opened.
   *
   * @throws PregonError RATE_LIMITED, with the time in milliseconds after which it would be granted
   */
  subscribe(since: Since | undefined, snapshot: boolean): void {
    this.#take(this.#subscribes, 'subscriptions opened');
    if (since !== undefined) this.#take(this.#replays, 'subscriptions with since');
    if (snapshot) this.#take(this.#snapshots, 'subscriptions with snapshot');
  }

  /**
   * Counts a token that the client shows.
   *
   * @throws PregonError RATE_LIMITED
   */
  authorize(): void {
    this.#take(this.#tokens, 'tokens');
  }

  /** Counts a refused request. True if there were so many that the connection must be closed. */
  get isExceeded(): boolean {
    return this.#excess.tryTake(1, this.#intake.clock.now()) > 0;
  }

  /** Counts an unreadable frame. @returns whether there were so many that the connection must be closed */
  badFrame(): boolean {
    return this.#badFrames.tryTake(1, this.#intake.clock.now()) > 0;
  }

  #take(bucket: TokenBucket, what: string): void {
    const waitMs = bucket.tryTake(1, this.#intake.clock.now());
    if (waitMs === 0) return;
    const retryAfterMs = Math.ceil(waitMs);
    throw new PregonError('RATE_LIMITED', `too many ${what}: try again in ${retryAfterMs} ms`, { retryAfterMs });
  }
}
