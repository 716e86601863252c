import { type OutboxEvent, openQueryRunner, type PostgresTransaction, type SqliteDatabase } from '@pregon/outbox';
import type { Gateway, NewEvent, PregonEvent } from 'pregon';
import type { OpenOutbox } from './open-outbox.js';
import { isSqliteDatabase } from './sqlite-shape.js';

/** Publishes events: in the transaction of the change that they tell of, or at once. Injected by its class. */
export class PregonPublisher {
  readonly #gateway: Gateway;
  readonly #outbox: OpenOutbox | undefined;

  constructor(gateway: Gateway, outbox: OpenOutbox | undefined) {
    this.#gateway = gateway;
    this.#outbox = outbox;
  }

  /** Appends an event to the log, now and by itself; resolves when it is safe there. */
  publish(event: NewEvent): Promise<PregonEvent> {
    return this.#gateway.publish(event);
  }

  /**
   * Writes an event in the caller's transaction. Committed, it is published; rolled back, nobody hears of it. Change first, then add.
   *
   * @param tx the SQLite connection with its transaction open; a client of pg after BEGIN, the `sql` of `sql.begin`, a `Transaction` of
   *   kysely; an `EntityManager`, `QueryRunner` or `Repository` of TypeORM in a transaction
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
   * @throws TypeError where the module has no `outbox`, or `tx` is in no transaction or of another database; see also `add` of
   *   `@pregon/outbox`
   */
  add<Data>(tx: SqliteDatabase, event: OutboxEvent<Data>): PregonEvent<Data>;
  add<Data>(tx: PostgresTransaction, event: OutboxEvent<Data>): Promise<PregonEvent<Data>>;
  add<Data>(
    tx: SqliteDatabase | PostgresTransaction,
    event: OutboxEvent<Data>,
  ): PregonEvent<Data> | Promise<PregonEvent<Data>> {
    const open = this.#outbox;
    if (open === undefined) throw new TypeError('PregonModule has no outbox: configure one, or publish at once');
    if (open.kind === 'sqlite') {
      return isSqliteDatabase(tx) ? open.outbox.add(tx, event) : addByTypeOrm(open.outbox, tx, event);
    }
    if (isSqliteDatabase(tx)) throw new TypeError('the outbox is on PostgreSQL, and this is a connection of SQLite');
    return open.outbox.add(tx, event);
  }
}

type SqliteOutbox = Extract<OpenOutbox, { kind: 'sqlite' }>['outbox'];

/** What a transaction of TypeORM is open on, where its driver is better-sqlite3, is the connection. */
async function addByTypeOrm<Data>(
  outbox: SqliteOutbox,
  tx: PostgresTransaction,
  event: OutboxEvent<Data>,
): Promise<PregonEvent<Data>> {
  const connection = await openQueryRunner(tx)?.connect();
  if (!isSqliteDatabase(connection)) throw new TypeError('the outbox is on SQLite, and this transaction is not');
  return outbox.add(connection, event);
}
