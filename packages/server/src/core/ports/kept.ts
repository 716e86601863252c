import type { StopFollowing } from './log-entry.js';

/** The value of a key. */
export interface KeptValue {
  readonly value: string;
  /** When the value expires, in milliseconds since 1970; undefined if it is kept until it is deleted. */
  readonly expiresAt: number | undefined;
}

/** All values that have not expired, by key, at one moment. */
export type KeptState = ReadonlyMap<string, KeptValue>;

/** The new value of each changed key; undefined if the key was removed. */
export type KeptChanges = ReadonlyMap<string, KeptValue | undefined>;

/**
 * Gets the set and what has changed in it. The work for a change should be in proportion to `changes`, not to the size
 * of the set.
 *
 * @param state the whole set. A log may modify this map in place before the next call: copy it to keep it
 * @param changes each key whose value differs from the state of the previous call; keys whose value is the same may be
 *   among them, and values that have only expired are not. Undefined if the listener must read the whole state: in the
 *   first call, after another log replaced this one, and after more changes than the log remembers
 */
export type KeptListener = (state: KeptState, changes: KeptChanges | undefined) => void;

export interface KeepOptions {
  /** @see KeptValue.expiresAt */
  readonly expiresAt?: number;
}

/** The limits of {@link Kept}, the same for every log. */
export const KEPT_LIMITS = {
  /** The most keys at one time; processes that put at the same moment may exceed it slightly. */
  entries: 10_000,
  /** Bytes of UTF-8. */
  keyBytes: 512,
  /** Bytes of UTF-8. */
  valueBytes: 4_096,
} as const;

/**
 * A small set of keys and values that a log keeps beside its entries, for data that must outlive retention: blocked
 * users, revoked tokens.
 *
 * - **Durability.** After `put` or `delete` resolves, the change is as durable as an append, and no retention drops it.
 *   The set is deleted only with the log.
 * - **One set.** All processes that open the log see the same set. The last change of a key wins, in an order that is
 *   the same for all; of two concurrent changes, either may be the last.
 * - **Reading.** `all` includes every change that was resolved before the call, by any process.
 * - **Following.** A follower is called after each change by any process, as soon as a follower of the log would get an
 *   entry. Changes in quick succession may be reported as one. During an outage there are no calls; after it, the
 *   follower gets the current state.
 * - **Turns.** A set at its limits is loaded and followed in steps. No step blocks the event loop for more than 20 ms
 *   of CPU time.
 *
 * An expired value is in no state. Followers are not called when a value expires: they must compare `expiresAt` with
 * the clock.
 */
export interface Kept {
  /**
   * Sets the value of a key.
   *
   * @throws RangeError if the key is empty, if the key or the value is beyond {@link KEPT_LIMITS}, or if the time is
   *   invalid
   * @throws PregonError KEPT_FULL | CONFIG_INVALID if this process has no permission to write | LOG_UNAVAILABLE |
   *   LOG_CLOSED
   */
  put(key: string, value: string, options?: KeepOptions): Promise<void>;

  /** Removes a key if it exists. @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED */
  delete(key: string): Promise<void>;

  /**
   * Returns the current set, in a map that later changes do not modify.
   *
   * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
   */
  all(): Promise<KeptState>;

  /**
   * Calls back with the current state, and after each change. Resolves after the first call, so that the caller has the
   * state then.
   *
   * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
   */
  follow(changed: KeptListener): Promise<StopFollowing>;
}
