import { PregonError } from '@pregon/protocol';
import type { KeepOptions, Kept, KeptState } from '../../core/ports/kept.js';
import type { StopFollowing } from '../../core/ports/log-entry.js';
import { KeptFollowers, toKeptValue } from '../shared/kept-values.js';
import type { SqliteKeptRows } from './database/kept.js';

/** How soon a look that failed is repeated, if nothing wakes it before. */
const RETRY_MS = 250;

export interface SqliteKeptOptions {
  /** Waits while another process has the lock. @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  readonly use: <Result>(work: (rows: SqliteKeptRows) => Result) => Promise<Result>;
  /** Does not wait. */
  readonly rows: () => SqliteKeptRows;
  /** Called after a change of ours is committed. */
  readonly onChanged: () => void;
  /** Somebody follows, so {@link SqliteKept.wake} is to be called; or nobody does any more. */
  readonly onFollowed: () => Promise<void>;
}

/** What the file of a log keeps outside its retention. */
export class SqliteKept implements Kept {
  readonly #options: SqliteKeptOptions;
  readonly #followers = new KeptFollowers();
  #told = '';
  #retry: NodeJS.Timeout | undefined;

  constructor(options: SqliteKeptOptions) {
    this.#options = options;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  async put(key: string, value: string, options?: KeepOptions): Promise<void> {
    const kept = toKeptValue(key, value, options);
    // As a result, since what is thrown is taken for a failure of the file.
    const refusal = await this.#options.use((rows) => {
      try {
        rows.put(key, kept, Date.now());
        return undefined;
      } catch (error) {
        if (error instanceof PregonError && error.code === 'KEPT_FULL') return error;
        throw error;
      }
    });
    if (refusal) throw refusal;
    this.#options.onChanged();
  }

  async delete(key: string): Promise<void> {
    await this.#options.use((rows) => rows.delete(key));
    this.#options.onChanged();
  }

  all(): Promise<KeptState> {
    return this.#options.use((rows) => rows.all(Date.now()));
  }

  async follow(changed: (state: KeptState) => void): Promise<StopFollowing> {
    const [revision, state] = await this.#options.use((rows) => [rows.revision(), rows.all(Date.now())] as const);
    // Who follows already may know a later state than was read here: then the next look tells it to all once more.
    this.#told = this.isFollowed && this.#told !== revision ? '' : revision;
    const leave = this.#followers.add(changed);
    changed(state);
    await this.#options.onFollowed();
    // What was changed between was told to nobody.
    this.wake();
    return async () => {
      leave();
      await this.#options.onFollowed();
    };
  }

  /** Something was committed, or another file stands here: looks whether that concerns whoever follows. */
  wake(): void {
    if (!this.isFollowed) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      const rows = this.#options.rows();
      const revision = rows.revision();
      if (revision === this.#told) return;
      const state = rows.all(Date.now());
      this.#told = revision;
      this.#followers.tell(state);
    } catch {
      // Followers of the log are told that it cannot be read.
      this.#retry = setTimeout(() => this.wake(), RETRY_MS).unref();
    }
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#followers.clear();
  }
}
