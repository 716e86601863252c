import { KEPT_LIMITS, type KeepOptions, type Kept, type KeptState, type KeptValue } from '../../core/ports/kept.js';
import type { StopFollowing } from '../../core/ports/log-entry.js';
import { assertRoom, holds, KeptFollowers, stateAt, toKeptValue } from '../shared/kept-values.js';

/** What a log in memory keeps: as long as the process lives. */
export class MemoryKept implements Kept {
  readonly #values = new Map<string, KeptValue>();
  readonly #followers = new KeptFollowers();
  readonly #assertOpen: () => void;

  /** @param assertOpen throws LOG_CLOSED */
  constructor(assertOpen: () => void) {
    this.#assertOpen = assertOpen;
  }

  async put(key: string, value: string, options?: KeepOptions): Promise<void> {
    this.#assertOpen();
    const kept = toKeptValue(key, value, options);
    this.#dropExpired(Date.now());
    if (!this.#values.has(key)) assertRoom(this.#values.size);
    this.#values.set(key, kept);
    if (this.#followers.size > 0) this.#followers.tell(this.#state());
  }

  async delete(key: string): Promise<void> {
    this.#assertOpen();
    if (this.#values.delete(key)) this.#followers.tell(this.#state());
  }

  async all(): Promise<KeptState> {
    this.#assertOpen();
    return this.#state();
  }

  async follow(changed: (state: KeptState) => void): Promise<StopFollowing> {
    this.#assertOpen();
    const leave = this.#followers.add(changed);
    changed(this.#state());
    return async () => leave();
  }

  /** Another log stands in the place of this one. */
  replace(): void {
    this.#values.clear();
    this.#followers.tell(this.#state());
  }

  close(): void {
    this.#followers.clear();
  }

  /** Before a set that looks full is called so. */
  #dropExpired(now: number): void {
    if (this.#values.size < KEPT_LIMITS.entries) return;
    for (const [key, value] of this.#values) if (!holds(value, now)) this.#values.delete(key);
  }

  #state(): KeptState {
    return stateAt(Date.now(), this.#values);
  }
}
