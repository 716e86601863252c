import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** A write-ahead log up to this size is not truncated: SQLite reuses the file from its beginning. */
const LARGE_BYTES = 16_777_216;
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/**
 * Keeps the write-ahead log (WAL) small. It grows while a reader, such as a backup, uses an old snapshot, and SQLite
 * does not truncate it when the reader ends. A checkpoint of a large WAL takes long, so it runs in a thread that ends
 * afterwards.
 */
export class WalKeeper {
  readonly #path: string;
  readonly #onWarning: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #waitMs = FIRST_MS;
  #stopped = false;

  /** @param path the path of the database */
  constructor(path: string, onWarning: (error: Error) => void) {
    this.#path = path;
    this.#onWarning = onWarning;
  }

  /** Must be called after each commit, of this process or another; cheap. */
  committed(): void {
    if (this.#timer || this.#working || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isLarge()) this.#working = this.#cut();
      else this.#waitMs = FIRST_MS;
    }, this.#waitMs).unref();
  }

  /** Resolves when no thread is running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  async #cut(): Promise<void> {
    try {
      await checkpoint(this.#path);
    } catch (cause) {
      this.#onWarning(new Error('the write-ahead log could not be truncated; a retry follows later', { cause }));
    }
    this.#working = undefined;
    // SQLite does not report when a reader ends, so the checkpoint is retried.
    this.#waitMs = Math.min(LONGEST_MS, this.#waitMs * 2);
    this.committed();
  }

  #isLarge(): boolean {
    return (statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > LARGE_BYTES;
  }
}

function checkpoint(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./wal-worker.js', import.meta.url), {
      workerData: path,
      name: 'pregon checkpoint',
    });
    worker.unref();
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
