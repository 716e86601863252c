import type { LogPoint } from '@pregon/protocol';
import type { Reader } from './reader.js';
import type { Located, RecentSequences } from './recent-sequences.js';
import type { Tail } from './tail.js';

export interface LocatorOptions {
  readonly tail: Tail;
  readonly reader: Reader;
  /** Told of all that the tail reads. */
  readonly sequences: RecentSequences;
  readonly timeoutMs: number;
}

/**
 * Finds the entry that stands for a sequence of a source, among those that the tail remembers. Where none does, all entries of the
 * source up to the sequence lie before what is remembered, and so before the edge of whoever follows the stream since then.
 */
export class Locator {
  readonly #options: LocatorOptions;

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /** @see Log.locate */
  async locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    const { reached, point } = await this.#search(sequence, source);
    if (!reached) return undefined;
    const floor = await this.#options.reader.floor();
    if (point) return point.offset > floor.offset ? point : undefined;
    // Only a stream that still begins where it was born never held what is not remembered.
    return floor.offset === 0 && this.#options.sequences.after === 0 ? floor : undefined;
  }

  async #search(sequence: number, source: string | undefined): Promise<Located> {
    const { tail, reader, sequences, timeoutMs } = this.#options;
    await tail.known(timeoutMs);
    const located = sequences.locate(sequence, source);
    if (located.reached) return located;
    // What was appended before this moment may be on its way.
    await reader.head();
    return sequences.locate(sequence, source);
  }
}
