import { KEPT_LIMITS, type KeepOptions, type Kept, type KeptState, type KeptValue } from '../../../core/ports/kept.js';
import type { StopFollowing } from '../../../core/ports/log-entry.js';
import { assertRoom, holds, KeptFollowers, stateAt, toKeptValue } from '../kept-values.js';

export interface KeptSetOptions {
  /** Throws LOG_CLOSED if the log is closed. */
  readonly assertOpen: () => void;
  /** What is kept at the start. @default nothing */
  readonly values?: Iterable<readonly [string, KeptValue]>;
  /** Makes a change durable, one after the other. What it rejects with rejects the change. @default nothing is durable */
  readonly save?: (state: KeptState) => Promise<void>;
}

/** What a log keeps outside retention, for a log that only one process has open: in memory, saved whole. */
export class KeptSet implements Kept {
  readonly #assertOpen: () => void;
  readonly #save: ((state: KeptState) => Promise<void>) | undefined;
  readonly #followers = new KeptFollowers();
  #values: ReadonlyMap<string, KeptValue>;
  #changing: Promise<unknown> = Promise.resolve();

  constructor({ assertOpen, values = [], save }: KeptSetOptions) {
    this.#assertOpen = assertOpen;
    this.#save = save;
    this.#values = new Map(values);
  }

  async put(key: string, value: string, options?: KeepOptions): Promise<void> {
    const kept = toKeptValue(key, value, options);
    await this.#change((values) => {
      if (values.size >= KEPT_LIMITS.entries) dropExpired(values);
      if (!values.has(key)) assertRoom(values.size);
      values.set(key, kept);
    });
  }

  async delete(key: string): Promise<void> {
    await this.#change((values) => void values.delete(key));
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

  /** Another log stands in the place of this one: nothing is kept. */
  replace(): void {
    this.#values = new Map();
    this.#followers.tell(this.#state());
  }

  /** Resolves when no change is under way. */
  async close(): Promise<void> {
    this.#followers.clear();
    await this.#changing;
  }

  #change(change: (values: Map<string, KeptValue>) => void): Promise<void> {
    this.#assertOpen();
    const changed = this.#changing.then(async () => {
      const values = new Map(this.#values);
      change(values);
      await this.#save?.(values);
      this.#values = values;
      if (this.#followers.size > 0) this.#followers.tell(this.#state());
    });
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #state(): KeptState {
    return stateAt(Date.now(), this.#values);
  }
}

function dropExpired(values: Map<string, KeptValue>): void {
  const now = Date.now();
  for (const [key, value] of values) if (!holds(value, now)) values.delete(key);
}
