import type { StopFollowing } from './log-entry.js';

/** What stands for a key. */
export interface KeptValue {
  readonly value: string;
  /** When it stops to hold, in milliseconds since 1970; undefined if it holds until it is deleted. */
  readonly expiresAt: number | undefined;
}

/** All that holds at one moment, by key. */
export type KeptState = ReadonlyMap<string, KeptValue>;

export interface KeepOptions {
  /** @see KeptValue.expiresAt */
  readonly expiresAt?: number;
}

/** The same for every log. */
export const KEPT_LIMITS = {
  /** The most keys that hold at one time; processes that put at the same moment may exceed it by some. */
  entries: 10_000,
  /** Bytes of UTF-8. */
  keyBytes: 512,
  /** Bytes of UTF-8. */
  valueBytes: 4_096,
} as const;

/**
 * A small set that a log keeps beside its entries, for what must outlive retention: who is blocked, which tokens are revoked.
 *
 * - **Durability.** What `put` and `delete` resolved survives as an append does, and no retention drops it. It goes only with the log.
 * - **One set.** All processes that open the log have the same. The last change of a key holds, in an order that is the same for all;
 *   of two changes that are made at the same time, any may be the last.
 * - **Reading.** `all` has every change that was resolved before it was called, by any process.
 * - **Following.** Whoever follows is told the whole state after each change, by any process, as soon as a follower of the log would be
 *   told of an entry. Changes in quick succession may be told as one. During an outage nothing is told; the state after it is.
 *
 * A value that has expired is in no state. That it expires is not told: whoever follows compares `expiresAt` with the clock.
 */
export interface Kept {
  /**
   * Sets the value of a key.
   *
   * @throws RangeError if key, value or time is beyond {@link KEPT_LIMITS} or no value at all
   * @throws PregonError KEPT_FULL | CONFIG_INVALID if this process may not write it | LOG_UNAVAILABLE | LOG_CLOSED
   */
  put(key: string, value: string, options?: KeepOptions): Promise<void>;

  /** Removes a key, if it is there. @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED */
  delete(key: string): Promise<void>;

  /** @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED */
  all(): Promise<KeptState>;

  /**
   * Calls back with the present state, and after each change. Resolves after the first call, so that whoever waits for it has all.
   *
   * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
   */
  follow(changed: (state: KeptState) => void): Promise<StopFollowing>;
}
