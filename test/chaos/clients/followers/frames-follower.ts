import type { FramesClient } from '../frames-client.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import type { Follower, FollowerOptions, Surroundings } from './follower.js';

/** A subscription of a client that may have other subscriptions. */
export class FramesFollower implements Follower {
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  readonly #close: () => void;

  constructor(options: FollowerOptions, connection: FramesClient, around: Surroundings) {
    const { client } = connection;
    const { name, topics, since } = options;
    const journal = new Journal(around.folder, options);
    const statistics = new Statistics(name, topics, journal);
    this.#journal = journal;
    this.#statistics = statistics;
    connection.use({
      connected: (where) => statistics.connected(where),
      wrong: (text) => journal.wrong(text),
      note: (text) => journal.note(text),
    });
    client.subscribe({
      topics,
      since,
      onEvent: (event) => {
        journal.event(event);
        around.seen(event);
      },
      onSubscribed: ({ recovered }) => statistics.opened(recovered),
      onReset: (reason) => {
        statistics.reset(reason);
        journal.reset('anywhere');
      },
    });
    this.#close = () => client.close();
  }

  report(): FollowerReport {
    return this.#statistics.report();
  }

  close(): void {
    this.#close();
  }

  written(early: boolean): Promise<void> {
    return early ? this.#journal.left() : this.#journal.close();
  }
}
