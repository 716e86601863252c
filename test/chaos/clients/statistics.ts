import type { Journal } from './journal.js';
import { type FollowerReport, NEWCOMER } from './settings.js';

/** The counters that every follower has. */
export class Statistics {
  readonly journal: Journal;
  /** The topics of the events that it must receive now. */
  topics: readonly string[];
  /** Connections that were ended or refused because the token had expired. */
  expired = 0;
  /** Subscriptions that were refused because a new token allowed less. */
  forbidden = 0;
  /** Connections that were ended or refused because the token was revoked. */
  revoked = 0;
  /** Whether the last thing that a gateway said is that its token was revoked. */
  isShutOut = false;
  readonly #name: string;
  #resumes = 0;
  #resets = 0;

  constructor(name: string, topics: readonly string[], journal: Journal) {
    this.#name = name;
    this.topics = topics;
    this.journal = journal;
  }

  connected(where: string): void {
    this.isShutOut = false;
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
      user: this.journal.user,
      isNewcomer: this.#name.startsWith(NEWCOMER),
      isShutOut: this.isShutOut,
      topics: this.topics,
      fromFirst: this.journal.fromFirst,
      received,
      lastId,
      reconnects: Math.max(0, connections - 1),
      resumes: this.#resumes,
      resets: this.#resets,
      expired: this.expired,
      forbidden: this.forbidden,
      revoked: this.revoked,
    };
  }
}
