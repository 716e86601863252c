import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresOutbox } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import type { PostgresConnections, PostgresTestTransaction } from './postgres-drivers.js';

const KEYS = 150;
const ROLLBACK = new Error('rolled back on purpose');

/**
 * A table of items with versions that count up with every change, and an event for every change. An event that is
 * missing, rolled back or out of order for its row shows as a version that does not follow the last one.
 */
export class VersionedItems {
  readonly #connections: PostgresConnections;
  readonly #outbox: PostgresOutbox;
  /** How many transactions were committed, rolled back, and held open for long. */
  readonly counts = { committed: 0, rolledBack: 0, held: 0 };

  constructor(connections: PostgresConnections, outbox: PostgresOutbox) {
    this.#connections = connections;
    this.#outbox = outbox;
  }

  get #table(): string {
    return `${this.#outbox.table}_items`;
  }

  async create(): Promise<void> {
    await this.#outbox.migrate(this.#connections.pool);
    await this.#connections.query(`CREATE TABLE ${this.#table} (key integer PRIMARY KEY, version integer NOT NULL)`);
  }

  /** A writer that changes some items per transaction until it is told to stop. */
  async writeUntil(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      try {
        await this.#connections.transaction((transaction) => this.#changeSome(transaction));
        this.counts.committed++;
      } catch (error) {
        if (error !== ROLLBACK) throw error;
        this.counts.rolledBack++;
      }
    }
  }

  /** The items and their versions, with the sequence that they stand for. */
  async snapshot(): Promise<{ sequence: number; relayed: number; items: Map<number, number> }> {
    const { rows, ...point } = await this.#connections.snapshot(this.#outbox, (query) =>
      query(`SELECT key, version FROM ${this.#table}`),
    );
    return { ...point, items: new Map(rows.map((row) => [numberIn(row, 'key'), numberIn(row, 'version')])) };
  }

  async #changeSome(transaction: PostgresTestTransaction): Promise<void> {
    const keys = new Set(
      Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => Math.floor(Math.random() * KEYS)),
    );
    // In one order, so that no two transactions wait for each other.
    for (const key of [...keys].sort((a, b) => a - b)) await this.#change(transaction, key);
    if (Math.random() < 0.006) {
      this.counts.held++;
      await delay(500 + Math.random() * 1_500);
    }
    if (Math.random() < 0.2) throw ROLLBACK;
  }

  async #change({ tx, query }: PostgresTestTransaction, key: number): Promise<void> {
    const [row] = await query(
      `INSERT INTO ${this.#table} AS i VALUES (${key}, 1)
      ON CONFLICT (key) DO UPDATE SET version = i.version + 1 RETURNING version`,
    );
    const data = { key, version: numberIn(row, 'version') };
    await this.#outbox.add(tx, { exchange: 'items', topic: `item.${key}`, type: 'ItemWasChanged', data });
  }
}

/** The items that result from the events; fails if a version does not follow the last one of its item. */
export function replay(
  events: Iterable<PregonEvent>,
  onto: ReadonlyMap<number, number> = new Map(),
): Map<number, number> {
  const items = new Map(onto);
  for (const { data, id } of events) {
    const key = numberIn(data, 'key');
    const version = numberIn(data, 'version');
    const before = items.get(key) ?? 0;
    if (version !== before + 1) throw new Error(`item ${key}: version ${version} after ${before}, by event ${id}`);
    items.set(key, version);
  }
  return items;
}

function numberIn(row: unknown, column: string): number {
  return Number(Reflect.get(Object(row), column));
}
