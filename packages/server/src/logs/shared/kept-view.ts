import type { KeptChanges, KeptState, KeptValue } from '../../core/ports/kept.js';
import { holds } from './kept-values.js';

/**
 * A process's copy of what a log keeps. It is one map that is changed in place, so a change costs what it changes and not what the set holds.
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

  /** The state at a time that does not go back: the map itself, without what has expired. */
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

/** Changes that were not told yet. */
export class PendingChanges {
  #changes: Map<string, KeptValue | undefined> | undefined = new Map();

  /** Whether there is anything to tell. */
  get isEmpty(): boolean {
    return this.#changes?.size === 0;
  }

  add(key: string, value: KeptValue | undefined): void {
    this.#changes?.set(key, value);
  }

  /** Another state took the place of the one that was told: single changes do not lead to it. */
  replaced(): void {
    this.#changes = undefined;
  }

  /** The changes since the last call, in which what has expired by now is removed; undefined if the state was replaced. */
  take(now: number): KeptChanges | undefined {
    const changes = this.#changes;
    this.#changes = new Map();
    for (const [key, value] of changes ?? []) if (value && !holds(value, now)) changes?.set(key, undefined);
    return changes;
  }
}
