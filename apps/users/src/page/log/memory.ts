import type { PregonEvent } from '@pregon/client';

/**
 * The most subjects for which the last data is kept. For an update of another subject, the earlier state is unknown.
 */
const MOST_SUBJECTS = 20_000;

/** The last data of each subject, so that the page can show what an event changed. */
export class DataMemory {
  /** Ordered by change: the least recently changed subject comes first. */
  readonly #last = new Map<string, unknown>();

  /** Stores the data of an event. @returns the earlier data of its subject; undefined if unknown */
  replace({ source, subject, data }: Pick<PregonEvent, 'source' | 'subject' | 'data'>): unknown {
    if (subject === undefined) return undefined;
    const key = `${source} ${subject}`;
    const before = this.#last.get(key);
    this.#last.delete(key);
    this.#last.set(key, data);
    if (this.#last.size > MOST_SUBJECTS) {
      const oldest = this.#last.keys().next();
      if (!oldest.done) this.#last.delete(oldest.value);
    }
    return before;
  }

  clear(): void {
    this.#last.clear();
  }
}
