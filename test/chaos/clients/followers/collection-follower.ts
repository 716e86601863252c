import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Collection, JsonObject, PregonEvent, RowChange } from '@pregon/client';
import type { TableName } from '../../verification/truth.js';
import type { FramesClient } from '../frames-client.js';
import { Journal } from '../journal.js';
import type { FollowerReport } from '../settings.js';
import { Statistics } from '../statistics.js';
import { Session } from '../users/session.js';
import type { Follower, Surroundings } from './follower.js';

export interface CollectionOptions {
  readonly name: string;
  readonly table: TableName;
  readonly topics: readonly string[];
}

/**
 * A collection of a table. Besides its final rows, it checks each step: an event must take its row from the previous
 * version to the next. Otherwise an event was missed, repeated, or already part of the snapshot.
 */
export class CollectionFollower implements Follower {
  readonly #options: CollectionOptions;
  readonly #folder: string;
  readonly #collection: Collection<JsonObject>;
  readonly #statistics: Statistics;
  readonly #journal: Journal;
  readonly #close: () => void;

  constructor(options: CollectionOptions, connection: FramesClient, around: Surroundings) {
    const { name, topics, table } = options;
    const { user } = connection;
    const journal = new Journal(around.folder, { name, user: user.name, topics, beginning: 'anywhere', table });
    const statistics = new Statistics(name, topics, journal);
    const session = new Session(user, topics, journal, statistics);
    this.#options = options;
    this.#folder = around.folder;
    this.#journal = journal;
    this.#statistics = statistics;
    connection.use({
      connected: (where) => statistics.connected(where),
      ended: (code, reason) => void session.ended(code, reason),
      refused: (text) => journal.refused(text),
      note: (text) => {
        journal.note(text);
        // Collections do not report whether they were recovered; one without a reset was.
        if (text.startsWith('online')) statistics.opened(true);
      },
    });
    this.#collection = connection.client.collection({ key: 'id', topics, change: (event) => this.#change(event) });
    this.#collection.observe({
      reset: (reason) => {
        statistics.reset(reason);
        journal.reset('anywhere');
      },
      ready: () => journal.note(`ready with ${this.#collection.size} rows at ${this.#collection.position}`),
    });
    this.#close = () => connection.close();
  }

  report(): FollowerReport {
    let versions = 0;
    for (const row of this.#collection.values()) versions += versionOf(row);
    return { ...this.#statistics.report(), holds: { rows: this.#collection.size, versions } };
  }

  close(): void {
    this.#close();
  }

  written(early: boolean): Promise<void> {
    if (early) return this.#journal.left();
    const rows = [...this.#collection.values()];
    writeFileSync(join(this.#folder, `${this.#options.name}.rows.json`), JSON.stringify(rows));
    return this.#journal.close();
  }

  #change(event: PregonEvent): RowChange | undefined {
    this.#journal.event(event);
    const { data } = event;
    if (typeof data !== 'object' || data === null || event.type === 'RunEnded') return undefined;
    const id = String(Reflect.get(data, 'id'));
    const before = this.#collection.get(id);
    const version = versionOf(data);
    const held = before === undefined ? 0 : versionOf(before);
    if (version !== held + 1) {
      this.#journal.wrong(
        `${event.id} (${event.type}, row ${id}) carries version ${version}, but the collection held version ${held}`,
      );
    }
    return event.type === 'OrderWasDropped' ? { remove: id } : { put: data };
  }
}

function versionOf(row: object): number {
  return Number(Reflect.get(row, 'version'));
}
