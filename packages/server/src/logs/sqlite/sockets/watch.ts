import { listenForNudges } from './nudge.js';
import type { SocketListener } from './socket-folder.js';

export interface WatchOptions {
  /** Where to listen for nudges. */
  readonly folder: string;
  readonly pollIntervalMs: number;
  /** Whether others have committed since the last call. */
  readonly changed: () => boolean;
  readonly onChange: () => void;
  readonly onWarning: (error: Error) => void;
}

/** Learns that others appended: by their nudges, and by polling in case one is lost. From its construction to its close. */
export class SqliteWatch {
  readonly #options: WatchOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #opening: Promise<void>;
  #listener: SocketListener | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#poll(), options.pollIntervalMs);
    // Windows has no sockets in folders that Node could use here: polling alone, then.
    this.#opening = process.platform === 'win32' ? Promise.resolve() : this.#listen();
  }

  /** The name of the socket that it listens on, once it does. */
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
      // Whoever is woken meets the same error in its own read, and has a way to tell it.
    }
    if (changed) this.#options.onChange();
  }

  async #listen(): Promise<void> {
    const { folder, onChange, onWarning } = this.#options;
    try {
      this.#listener = await listenForNudges(folder, onChange);
    } catch (cause) {
      // Not every file system can hold a socket; polling works on all.
      onWarning(new Error(`no nudge can be heard in ${folder}: the log is polled`, { cause }));
    }
    // What was appended before it listened has nudged nobody.
    onChange();
  }
}
