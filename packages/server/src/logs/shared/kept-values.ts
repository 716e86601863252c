import { PregonError } from '@pregon/protocol';
import {
  KEPT_LIMITS,
  type KeepOptions,
  type KeptChanges,
  type KeptListener,
  type KeptState,
  type KeptValue,
} from '../../core/ports/kept.js';
import { reportUncaught } from './report-uncaught.js';

/** @throws RangeError */
export function toKeptValue(key: string, value: string, { expiresAt }: KeepOptions = {}): KeptValue {
  assertText('the key', key, 1, KEPT_LIMITS.keyBytes);
  assertText('the value', value, 0, KEPT_LIMITS.valueBytes);
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && expiresAt >= 0)) {
    throw new RangeError(`expiresAt must be milliseconds since 1970, not ${expiresAt}`);
  }
  return { value, expiresAt };
}

function assertText(what: string, text: string, least: number, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes < least || bytes > most) throw new RangeError(`${what} must have ${least} to ${most} bytes, not ${bytes}`);
}

/** @throws PregonError KEPT_FULL */
export function assertRoom(count: number): void {
  if (count < KEPT_LIMITS.entries) return;
  const message = `the log keeps ${count} values, the most that it may: delete some, or give them an earlier expiresAt`;
  throw new PregonError('KEPT_FULL', message);
}

export function holds({ expiresAt }: KeptValue, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}

/** Returns the values that have not expired. */
export function stateAt(now: number, values: Iterable<readonly [string, KeptValue]>): KeptState {
  return new Map([...values].filter(([, value]) => holds(value, now)));
}

/** The followers of a set. */
export class KeptFollowers {
  readonly #followers = new Set<{ readonly changed: KeptListener }>();

  get size(): number {
    return this.#followers.size;
  }

  /** @returns a function that removes the follower */
  add(changed: KeptListener): () => void {
    const follower = { changed };
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** @param changes undefined if followers must read the whole state */
  tell(state: KeptState, changes?: KeptChanges): void {
    for (const follower of this.#followers) reportUncaught(() => follower.changed(state, changes));
  }

  clear(): void {
    this.#followers.clear();
  }
}
