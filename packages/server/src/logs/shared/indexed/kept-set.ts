import type { KeepOptions, Kept, KeptChanges, KeptListener, KeptState, KeptValue } from '../../../core/ports/kept.js';
import type { StopFollowing } from '../../../core/ports/log-entry.js';
import { assertRoom, KeptFollowers, toKeptValue } from '../kept-values.js';
import { KeptView, PendingChanges } from '../kept-view.js';

export interface KeptSetOptions {
  /** Throws LOG_CLOSED if the log is closed. */
  readonly assertOpen: () => void;
  /** The initial values. @default none */
  readonly values?: Iterable<readonly [string, KeptValue]>;
  /**
   * Makes a change durable. The calls do not overlap. If it rejects, the change is rejected with the same error.
   *
   * @param state the whole set after the change, for a log that stores the set as a whole
   * @param changes only the change, for a log that stores each change, at a cost that does not grow with the set
   * @default nothing is durable
   */
  readonly save?: (state: KeptState, changes: KeptChanges) => Promise<void>;
}

/** Kept values for a log that only one process opens. */
export class KeptSet implements Kept {
  readonly #assertOpen: () => void;
  readonly #save: KeptSetOptions['save'];
  readonly #followers = new KeptFollowers();
  #view: KeptView;
  #changing: Promise<unknown> = Promise.resolve();

  constructor({ assertOpen, values, save }: KeptSetOptions) {
    this.#assertOpen = assertOpen;
    this.#save = save;
    this.#view = new KeptView(values);
  }

  async put(key: string, value: string, options?: KeepOptions): Promise<void> {
    const kept = toKeptValue(key, value, options);
    await this.#change(key, kept);
  }

  async delete(key: string): Promise<void> {
    await this.#change(key, undefined);
  }

  async all(): Promise<KeptState> {
    this.#assertOpen();
    return this.#view.copyAt(Date.now());
  }

  async follow(changed: KeptListener): Promise<StopFollowing> {
    this.#assertOpen();
    const leave = this.#followers.add(changed);
    changed(this.#view.at(Date.now()), undefined);
    return async () => leave();
  }

  /** Drops all values, because another log has replaced this one. */
  replace(): void {
    this.#view = new KeptView();
    this.#followers.tell(this.#view.at(Date.now()));
  }

  /** Resolves when no change is in progress. */
  async close(): Promise<void> {
    this.#followers.clear();
    await this.#changing;
  }

  #change(key: string, value: KeptValue | undefined): Promise<void> {
    this.#assertOpen();
    const changed = this.#changing.then(async () => {
      const state = this.#view.at(Date.now());
      if (!value && !state.has(key)) return;
      if (value && !state.has(key)) assertRoom(state.size);
      await this.#save?.(stateAfter(state, key, value), new Map([[key, value]]));
      this.#apply(key, value);
    });
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #apply(key: string, value: KeptValue | undefined): void {
    const now = Date.now();
    const pending = new PendingChanges();
    pending.add(key, value);
    this.#view.set(key, value);
    if (this.#followers.size > 0) this.#followers.tell(this.#view.at(now), pending.take(now));
  }
}

function stateAfter(state: KeptState, key: string, value: KeptValue | undefined): KeptState {
  const after = new Map(state);
  if (value) after.set(key, value);
  else after.delete(key);
  return after;
}
