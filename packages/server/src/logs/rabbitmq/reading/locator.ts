import type { LogPoint } from '@pregon/protocol';
import type { Reader } from './reader.js';
import type { Located, RecentSequences } from './recent-sequences.js';
import type { Tail } from './tail.js';

export interface LocatorOptions {
  readonly tail: Tail;
  readonly reader: Reader;
  /** Must have seen all entries that the tail reads. */
  readonly sequences: RecentSequences;
  readonly timeoutMs: number;
}

/**
 * Finds the entry that corresponds to a sequence of a source, among the entries that the tail remembers. If it
 * remembers none, then all entries of the source up to the sequence are older than the remembered ones, and so older
 * than the start of any follower of the tail.
 */
export class Locator {
  readonly #options: LocatorOptions;

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /** Implements {@link Log.locate}. */
  async locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    const { reached, point } = await this.#search(sequence, source);
    if (!reached) return undefined;
    const floor = await this.#options.reader.floor();
    if (point) return point.offset > floor.offset ? point : undefined;
    // Forgotten entries are irrelevant only if there are none: the stream must still begin at its birth, and be
    // remembered from there.
    return floor.offset === 0 && this.#options.sequences.after === 0 ? floor : undefined;
  }

  async #search(sequence: number, source: string | undefined): Promise<Located> {
    const { tail, reader, sequences, timeoutMs } = this.#options;
    await tail.known(timeoutMs);
    const located = sequences.locate(sequence, source);
    if (located.reached) return located;
    // Events that were appended just before this call may not have been read yet.
    await reader.head();
    return sequences.locate(sequence, source);
  }
}
