import { setImmediate as turn } from 'node:timers/promises';
import { PregonError } from '@pregon/protocol';
import type { KeepOptions, Kept, KeptListener, KeptState } from '../../core/ports/kept.js';
import type { StopFollowing } from '../../core/ports/log-entry.js';
import { KeptFollowers, toKeptValue } from '../shared/kept-values.js';
import type { SqliteKeptRows } from './database/kept.js';
import { SqliteKeptCopy } from './kept-copy.js';

/** The time after which a failed read is repeated, unless {@link SqliteKept.wake} is called before. */
const RETRY_MS = 250;

export interface SqliteKeptOptions {
  /** Waits while another process has the lock. @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  readonly use: <Result>(work: (rows: SqliteKeptRows) => Result) => Promise<Result>;
  /** Returns at once, without waiting for the lock. */
  readonly rows: () => SqliteKeptRows;
  /** Called after a change by this process is committed. */
  readonly onChanged: () => void;
  /** Called when a follower joins or leaves: {@link SqliteKept.wake} must be called while there is one. */
  readonly onFollowed: () => Promise<void>;
}

/** The kept values in the file of a log. */
export class SqliteKept implements Kept {
  readonly #options: SqliteKeptOptions;
  readonly #followers = new KeptFollowers();
  readonly #copy = new SqliteKeptCopy();
  #reading: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: SqliteKeptOptions) {
    this.#options = options;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  async put(key: string, value: string, options?: KeepOptions): Promise<void> {
    const kept = toKeptValue(key, value, options);
    // Returned, not thrown: `use` treats a thrown error as a failure of the file.
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

  async all(): Promise<KeptState> {
    await this.#read();
    return this.#copy.copyAt(Date.now());
  }

  async follow(changed: KeptListener): Promise<StopFollowing> {
    await this.#read();
    const leave = this.#followers.add(changed);
    changed(this.#copy.at(Date.now()), undefined);
    await this.#options.onFollowed();
    // Changes since the read were not reported to this follower.
    this.wake();
    return async () => {
      leave();
      await this.#options.onFollowed();
    };
  }

  /** Checks for changes. Call it after any commit to the file, and when another file has replaced it. */
  wake(): void {
    // While the set is being loaded, the steps continue without this call.
    if (!this.isFollowed || (this.#reading && !this.#copy.isLoaded)) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      if (!this.#step(this.#options.rows())) this.#read().catch(() => {});
    } catch {
      this.#wakeLater();
    }
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#followers.clear();
  }

  /** Brings the copy to a state that the file had after this call. Each page is read in its own event loop turn. */
  async #read(): Promise<void> {
    // A read that is in progress may have made its last step before this call.
    await this.#reading?.catch(() => {});
    this.#reading ??= this.#readAll();
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      while (!(await this.#options.use((rows) => this.#step(rows)))) await turn();
    } catch (error) {
      // The caller gets the error. Followers wait for the next attempt.
      if (this.isFollowed) this.#wakeLater();
      throw error;
    } finally {
      this.#reading = undefined;
    }
  }

  #step(rows: SqliteKeptRows): boolean {
    const isCurrent = this.#copy.step(rows);
    if (isCurrent && this.#copy.isChanged) {
      const now = Date.now();
      const changes = this.#copy.takeChanges(now);
      this.#followers.tell(this.#copy.at(now), changes);
    }
    return isCurrent;
  }

  #wakeLater(): void {
    // Not reported here: followers of the log are told that the log cannot be read.
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.wake();
    }, RETRY_MS).unref();
  }
}
