import type { PregonError, Since } from '@pregon/protocol';
import type { FramesClient } from '../frames-client.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import { Session } from '../users/session.js';
import { expectedOf, type Follower, type FollowerOptions, type Surroundings } from './follower.js';

export type FramesFollowerOptions = Omit<FollowerOptions, 'user' | 'path'>;

/** A subscription of a client that may have other subscriptions. */
export class FramesFollower implements Follower {
  readonly #connection: FramesClient;
  readonly #around: Surroundings;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  readonly #session: Session;

  constructor(options: FramesFollowerOptions, connection: FramesClient, around: Surroundings) {
    const { user } = connection;
    const { name, asks, since } = options;
    const expected = expectedOf({ ...options, user });
    const journal = new Journal(around.folder, expected);
    const statistics = new Statistics(name, expected.topics, journal);
    const session = new Session(user, asks, journal, statistics);
    this.#connection = connection;
    this.#around = around;
    this.#journal = journal;
    this.#statistics = statistics;
    this.#session = session;
    connection.use({
      connected: (where) => statistics.connected(where),
      ended: (code, reason) => void session.ended(code, reason),
      refused: (text) => journal.refused(text),
      note: (text) => journal.note(text),
    });
    this.#subscribe(since);
  }

  report(): FollowerReport {
    return this.#statistics.report();
  }

  close(): void {
    this.#connection.close();
  }

  written(early: boolean): Promise<void> {
    return early ? this.#journal.left() : this.#journal.close();
  }

  #subscribe(since: Since): void {
    const { asks } = this.#session;
    this.#connection.client.subscribe({
      ...(asks.length > 0 ? { topics: asks } : {}),
      since,
      onEvent: (event) => {
        this.#journal.event(event);
        this.#around.seen(event);
      },
      onSubscribed: ({ recovered }) => this.#statistics.opened(recovered),
      onReset: (reason) => {
        this.#statistics.reset(reason);
        this.#journal.reset('anywhere');
      },
      onError: (error) => this.#failed(error),
    });
  }

  #failed({ code, message, retryable }: PregonError): void {
    this.#journal.note(`${code}: ${message}`);
    if (code === 'FORBIDDEN') {
      if (this.#session.forbidden(message) === 'anew') this.#subscribe('first');
    } else if (!retryable) {
      this.#journal.refused(`${code}: ${message}`);
    }
  }
}
