import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createSqliteOutbox, type Relay, type SqliteOutbox } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import Database from 'libsql';
import type { Log } from 'pregon';
import { afterTest, temporaryFolder } from '../../cleanup.js';

export interface Item {
  readonly id: number;
  /** The number of the change that produced this version. */
  readonly change: number;
  readonly padding?: string;
}

/**
 * An application with a table, an outbox and a snapshot over HTTP. The row with id 0 counts all changes, so a snapshot
 * tells its last change, and the events tell the next one.
 */
export class TableApp {
  /** The number of snapshot requests. */
  requests = 0;
  /** Answers in place of the snapshot. */
  trouble: ((response: ServerResponse) => void) | undefined;
  /** If set, the snapshot is read at once, and answered when this promise has resolved. */
  answering: Promise<void> = Promise.resolve();
  readonly url: string;
  readonly relay: Relay;
  readonly #db: Database.Database;
  readonly #outbox: SqliteOutbox;
  #changes = 0;

  static async start(log: Log): Promise<TableApp> {
    let app: TableApp | undefined;
    const server = createServer((_request, response) => void app?.answer(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    app = new TableApp(log, server);
    return app;
  }

  private constructor(log: Log, server: Server) {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
    this.url = `http://127.0.0.1:${address.port}/snapshot`;
    this.#db = new Database(join(temporaryFolder(), 'app.db'));
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    this.#db.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, change INTEGER NOT NULL, padding TEXT)');
    this.#outbox = createSqliteOutbox({ source: '/items' });
    this.#outbox.migrate(this.#db);
    this.relay = this.#outbox.relay({ db: this.#db, log, pollIntervalMs: 20 });
    afterTest(async () => {
      await this.relay.stop();
      server.close();
      server.closeAllConnections();
      this.#db.close();
    });
  }

  /** Sets or deletes a row and adds its event, in one transaction. */
  change(id: number, kind: 'put' | 'delete' = 'put'): void {
    this.#changes += 1;
    const change = this.#changes;
    this.#db.exec('BEGIN IMMEDIATE');
    const put = 'INSERT INTO item (id, change) VALUES (?, ?) ON CONFLICT DO UPDATE SET change = excluded.change';
    this.#db.prepare(put).run(0, change);
    if (kind === 'put') this.#db.prepare(put).run(id, change);
    else this.#db.prepare('DELETE FROM item WHERE id = ?').run(id);
    const type = kind === 'put' ? 'ItemWasSaved' : 'ItemWasDeleted';
    this.#outbox.add(this.#db, { exchange: 'items', topic: `item.${id}`, type, data: { id, change } });
    this.#db.exec('COMMIT');
  }

  /** Fills the table with rows without events. */
  fill(rows: number, bytes: number): void {
    const insert = this.#db.prepare('INSERT INTO item (id, change, padding) VALUES (?, 0, ?)');
    this.#db.exec('BEGIN');
    for (let id = 1; id <= rows; id++) insert.run(id, 'x'.repeat(bytes));
    this.#db.exec('COMMIT');
  }

  /** The rows of the table. */
  rows(): Map<number, Item> {
    return mapOf(this.snapshot().rows);
  }

  snapshot(): { rows: readonly unknown[]; sequence: number; source: string; relayed: number } {
    return this.#outbox.snapshot(this.#db, (db) => db.prepare('SELECT id, change, padding FROM item').all());
  }

  async answer(response: ServerResponse): Promise<void> {
    this.requests += 1;
    if (this.trouble) return this.trouble(response);
    const body = JSON.stringify(this.snapshot());
    await this.answering;
    response.setHeader('content-type', 'application/json').end(body);
  }
}

/** The table that results from the rows and the events after them. */
export function fold(rows: readonly unknown[], events: readonly PregonEvent[]): Map<number, Item> {
  const items = mapOf(rows);
  for (const { type, data } of events) {
    const item = toItem(data);
    if (type === 'ItemWasDeleted') items.delete(item.id);
    else items.set(item.id, item);
    items.set(0, { id: 0, change: item.change });
  }
  return items;
}

export function toItem(value: unknown): Item {
  const { id, change } = Object(value);
  if (typeof id !== 'number' || typeof change !== 'number')
    throw new TypeError(`not an item: ${JSON.stringify(value)}`);
  return { id, change };
}

function mapOf(rows: readonly unknown[]): Map<number, Item> {
  return new Map(rows.map(toItem).map((item) => [item.id, item]));
}
