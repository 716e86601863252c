import { listenForNudges } from './nudge.js';
import type { SocketListener } from './socket-folder.js';

export interface WatchOptions {
  /** The folder in which to listen for nudges. */
  readonly folder: string;
  readonly pollIntervalMs: number;
  /** Tells whether another connection has committed since the last call. */
  readonly changed: () => boolean;
  readonly onChange: () => void;
  readonly onWarning: (error: Error) => void;
}

/**
 * Detects appends of other processes: by nudges, and by polling in case a nudge is lost. Runs from construction to
 * `close`.
 */
export class SqliteWatch {
  readonly #options: WatchOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #opening: Promise<void>;
  #listener: SocketListener | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#poll(), options.pollIntervalMs);
    // On Windows, Node.js has no sockets in folders; there, polling must do.
    this.#opening = process.platform === 'win32' ? Promise.resolve() : this.#listen();
  }

  /** The name of the socket on which it listens; undefined until it listens. */
  get socket(): string | undefined {
    return this.#listener?.name;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#opening;
    await this.#listener?.close();
  }

  #poll(): void {
    let changed = true;
    try {
      changed = this.#options.changed();
    } catch {
      // The woken readers get the same error from their own read and can report it.
    }
    if (changed) this.#options.onChange();
  }

  async #listen(): Promise<void> {
    const { folder, onChange, onWarning } = this.#options;
    try {
      this.#listener = await listenForNudges(folder, onChange);
    } catch (cause) {
      // Not every file system supports sockets; polling always works.
      onWarning(new Error(`nudges cannot be received in ${folder}; the log is polled instead`, { cause }));
    }
    // An append before the listener existed could not nudge it.
    onChange();
  }
}
