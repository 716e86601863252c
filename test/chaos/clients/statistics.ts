import type { Journal } from './journal.js';
import type { FollowerReport } from './settings.js';

/** The counters that every follower has. */
export class Statistics {
  readonly journal: Journal;
  readonly #name: string;
  readonly #topics: readonly string[];
  #resumes = 0;
  #resets = 0;

  constructor(name: string, topics: readonly string[], journal: Journal) {
    this.#name = name;
    this.#topics = topics;
    this.journal = journal;
  }

  connected(where: string): void {
    this.journal.connections += 1;
    this.journal.note(`connected to ${where}`);
  }

  /**
   * Counts a subscription that is open.
   * @param recovered whether it continues after the presented position
   */
  opened(recovered: boolean): void {
    if (this.journal.connections > 1 && recovered) this.#resumes += 1;
  }

  reset(reason: string): void {
    this.#resets += 1;
    this.journal.note(`reset: ${reason}`);
  }

  report(): FollowerReport {
    const { received, lastId, connections } = this.journal;
    return {
      name: this.#name,
      topics: this.#topics,
      fromFirst: this.journal.fromFirst,
      received,
      lastId,
      reconnects: Math.max(0, connections - 1),
      resumes: this.#resumes,
      resets: this.#resets,
    };
  }
}
