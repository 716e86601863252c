import type { KeptChanges, KeptState, KeptValue } from '../../core/ports/kept.js';
import { holds } from './kept-values.js';

/**
 * A copy of the kept values in this process. Changes modify one map in place, so their cost does not depend on the size
 * of the set.
 */
export class KeptView {
  readonly #values = new Map<string, KeptValue>();
  /** No value expires before this time. */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(values: Iterable<readonly [string, KeptValue]> = []) {
    for (const [key, value] of values) this.set(key, value);
  }

  /** @param value undefined removes the key */
  set(key: string, value: KeptValue | undefined): void {
    if (!value) {
      this.#values.delete(key);
      return;
    }
    this.#values.set(key, value);
    this.#nextExpiry = Math.min(this.#nextExpiry, value.expiresAt ?? Number.POSITIVE_INFINITY);
  }

  /** Returns the map itself, without expired values. @param now must not decrease from call to call */
  at(now: number): KeptState {
    if (now >= this.#nextExpiry) this.#dropExpired(now);
    return this.#values;
  }

  copyAt(now: number): Map<string, KeptValue> {
    return new Map(this.at(now));
  }

  #dropExpired(now: number): void {
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const [key, value] of this.#values) {
      if (!holds(value, now)) this.#values.delete(key);
      else this.#nextExpiry = Math.min(this.#nextExpiry, value.expiresAt ?? Number.POSITIVE_INFINITY);
    }
  }
}

/** The changes since followers were last called. */
export class PendingChanges {
  #changes: Map<string, KeptValue | undefined> | undefined = new Map();

  /** Whether there is no change to report. */
  get isEmpty(): boolean {
    return this.#changes?.size === 0;
  }

  add(key: string, value: KeptValue | undefined): void {
    this.#changes?.set(key, value);
  }

  /** Notes that another state has replaced the one that followers know, so that they must read the whole state. */
  replaced(): void {
    this.#changes = undefined;
  }

  /**
   * Returns the changes since the last call; undefined if the state was replaced. A value that has expired counts as
   * removed.
   */
  take(now: number): KeptChanges | undefined {
    const changes = this.#changes;
    this.#changes = new Map();
    for (const [key, value] of changes ?? []) if (value && !holds(value, now)) changes?.set(key, undefined);
    return changes;
  }
}
