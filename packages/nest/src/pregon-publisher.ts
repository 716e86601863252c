import { type OutboxEvent, openQueryRunner, type PostgresTransaction, type SqliteDatabase } from '@pregon/outbox';
import type { Gateway, NewEvent, PregonEvent } from 'pregon';
import type { OpenOutbox } from './open-outbox.js';
import { isSqliteDatabase } from './sqlite-shape.js';

/**
 * Publishes events, in the transaction of the change that they report or directly. Inject it by its class.
 *
 * @example
 * ```ts
 * await this.dataSource.transaction(async (tx) => {
 *   await tx.insert(User, user);
 *   const topic = `user.${user.id}.created`;
 *   await this.publisher.add(tx, { exchange: 'my_events', topic, type: 'UserWasCreated', data: user });
 * });
 * ```
 */
export class PregonPublisher {
  readonly #gateway: Gateway;
  readonly #outbox: OpenOutbox | undefined;

  constructor(gateway: Gateway, outbox: OpenOutbox | undefined) {
    this.#gateway = gateway;
    this.#outbox = outbox;
  }

  /** Appends an event to the log directly, without a transaction; resolves when the event is durable. */
  publish(event: NewEvent): Promise<PregonEvent> {
    return this.#gateway.publish(event);
  }

  /**
   * Writes an event in the caller's transaction. A commit publishes it, a rollback discards it. Change the rows first,
   * then add the event.
   *
   * @param tx the SQLite connection with its transaction open; a client of pg after BEGIN, the `sql` of `sql.begin`, a
   * `Transaction` of kysely; an `EntityManager`, `QueryRunner` or `Repository` of TypeORM in a transaction
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
   * @throws TypeError if the module has no `outbox`, or `tx` is not in a transaction of the outbox's database; see also
   * `add` of `@pregon/outbox`
   */
  add<Data>(tx: SqliteDatabase, event: OutboxEvent<Data>): PregonEvent<Data>;
  add<Data>(tx: PostgresTransaction, event: OutboxEvent<Data>): Promise<PregonEvent<Data>>;
  add<Data>(
    tx: SqliteDatabase | PostgresTransaction,
    event: OutboxEvent<Data>,
  ): PregonEvent<Data> | Promise<PregonEvent<Data>> {
    const open = this.#outbox;
    if (open === undefined)
      throw new TypeError('PregonModule has no outbox: set its option "outbox", or use publish() instead of add()');
    if (open.kind === 'sqlite') {
      return isSqliteDatabase(tx) ? open.outbox.add(tx, event) : addByTypeOrm(open.outbox, tx, event);
    }
    if (isSqliteDatabase(tx))
      throw new TypeError(
        'the outbox is in PostgreSQL, but the transaction is on a SQLite connection: pass a PostgreSQL transaction',
      );
    return open.outbox.add(tx, event);
  }
}

type SqliteOutbox = Extract<OpenOutbox, { kind: 'sqlite' }>['outbox'];

/** A TypeORM transaction with the driver better-sqlite3 runs on the connection itself. */
async function addByTypeOrm<Data>(
  outbox: SqliteOutbox,
  tx: PostgresTransaction,
  event: OutboxEvent<Data>,
): Promise<PregonEvent<Data>> {
  const connection = await openQueryRunner(tx)?.connect();
  if (!isSqliteDatabase(connection))
    throw new TypeError(
      'the outbox is in SQLite, but the transaction is not: pass a SQLite connection or a TypeORM transaction on it',
    );
  return outbox.add(connection, event);
}
