import type { PoisonEntry } from './stream-entry.js';

/** The minimum time between two reports, so that a faulty producer does not fill the disk with them. */
const INTERVAL_MS = 1_000;

/** Counts the messages that no reader gets, and reports them: the first at once, later ones as a number. */
export class PoisonLog {
  readonly #stream: string;
  readonly #onWarning: (error: Error) => void;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #unreported = 0;
  #count = 0;

  constructor(stream: string, onWarning: (error: Error) => void) {
    this.#stream = stream;
    this.#onWarning = onWarning;
  }

  get count(): number {
    return this.#count;
  }

  add({ offset, reason }: PoisonEntry): void {
    this.#count += 1;
    const now = performance.now();
    if (now - this.#reportedAt < INTERVAL_MS) {
      this.#unreported += 1;
      return;
    }
    const more = this.#unreported > 0 ? ` (and ${this.#unreported} more since the last report)` : '';
    this.#reportedAt = now;
    this.#unreported = 0;
    this.#onWarning(
      new Error(
        `a message is delivered to nobody: offset ${offset - 1} of the stream ${this.#stream}: ${reason}${more}`,
      ),
    );
  }
}
