import { PregonError, type PregonEvent } from '@pregon/protocol';
import { integerIn } from '../column.js';
import { encodeEvent, type OutboxEvent, withSequence } from '../event.js';
import { completeOptions, type OutboxOptions } from '../options.js';
import type { Relay, RelayOptions } from '../relay.js';
import { OutboxRelay, type RunningRelays } from '../relay-loop.js';
import { assertRows, type OutboxSnapshot } from '../snapshot.js';
import { assertTableName, sql } from '../sql.js';
import {
  inTransaction,
  isNested,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteWriter,
  withBusyTimeout,
} from './database.js';
import { highestSequence, relayedSequence, sqliteRelaySource } from './table.js';

export interface SqliteRelayOptions extends RelayOptions {
  /**
   * The connection to read and remove through. It may be the one that events are written with; on one of its own, the relay also
   * goes on while a transaction of the writers is open.
   */
  readonly db: SqliteDatabase;
  /** How long an event of another process may go unseen; those of this process are seen at once. @default 100 */
  readonly pollIntervalMs?: number;
}

/**
 * Events that are written in the transaction of the change that they tell of. Guarantees, proven by test/contract and test/e2e:
 *
 * - **Write and event are one.** What is rolled back emits nothing; what is committed is emitted, also when the process
 *   is killed in the next instruction: the next relay on the table finds it.
 * - **Order.** Sequences are given in commit order, strictly increasing, and never used twice for what was committed.
 * - **Nothing poisonous.** `add` refuses what a log would refuse, so that no event can stand in the way of those behind it.
 */
export interface Outbox {
  readonly source: string;
  readonly table: string;

  /** Creates the table where it is missing. Any number of processes may do so at once. */
  migrate(db: SqliteDatabase): void;

  /**
   * Writes an event in the transaction that is open on this connection, or in one of its own where none is. Relays of this
   * outbox in this process look for it as soon as the running code has returned to the event loop.
   *
   * @returns the event with its `sequence`, which stands once the transaction is committed
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
   * @throws TypeError where `data` holds what JSON cannot (a BigInt, a cycle, a function)
   *   Nothing is written where it throws; what else the driver throws is passed on.
   */
  add<Data>(tx: SqliteWriter, event: OutboxEvent<Data>): PregonEvent<Data>;

  /**
   * Reads rows and the highest sequence in one read transaction, so that no writer, in whatever process, comes between.
   *
   * @param read synchronous, reads only
   * @throws PregonError SNAPSHOT_UNAVAILABLE (retryable) while a transaction is open on this connection: the rows would hold
   *   what may yet be rolled back
   * @throws TypeError where `read` returns no array
   */
  snapshot<Db extends SqliteDatabase, Row>(db: Db, read: (db: Db) => readonly Row[]): OutboxSnapshot<Row>;

  /**
   * A relay from this table to a log; call `start` on it.
   *
   * @throws TypeError where the table is missing
   */
  relay(options: SqliteRelayOptions): Relay;
}

/** How long `migrate` waits at least for another process that does the same. */
const MIGRATE_WAIT_MS = 5_000;

/** @throws TypeError | RangeError for options that cannot be */
export function createOutbox(options: OutboxOptions): Outbox {
  const { source, table, maxEventBytes, now } = completeOptions(options);
  assertTableName('sqlite', table);
  const running: RunningRelays = new Set();
  const wakeRunning = coalesced(() => {
    for (const relay of running) relay.wake();
  });
  const insertInto = insertStatements(table);

  return {
    source,
    table,
    migrate(db) {
      withBusyTimeout(
        db,
        (currentMs) => Math.max(currentMs, MIGRATE_WAIT_MS),
        () => db.exec(sql('sqlite', table)),
      );
    },
    add(tx, event) {
      const writtenAt = now();
      const { event: complete, text, bytes } = encodeEvent(event, { source, now: writtenAt, maxEventBytes });
      const sequence = integerIn(insertInto(tx).run(writtenAt, bytes, text), 'lastInsertRowid');
      if (running.size > 0) wakeRunning();
      return withSequence(complete, sequence);
    },
    snapshot(db, read) {
      return takeSnapshot(db, () => {
        const sequence = highestSequence(db, table)();
        return { rows: read(db), sequence, source, relayed: relayedSequence(db, table) ?? sequence };
      });
    },
    relay(relayOptions) {
      return new OutboxRelay(sqliteRelaySource(relayOptions.db, table, now), relayOptions, running);
    },
  };
}

function takeSnapshot<Row>(db: SqliteDatabase, take: () => OutboxSnapshot<Row>): OutboxSnapshot<Row> {
  let begun = false;
  try {
    return inTransaction(db, 'BEGIN', () => {
      begun = true;
      const snapshot = take();
      assertRows(snapshot.rows);
      return snapshot;
    });
  } catch (error) {
    if (begun || !isNested(error)) throw error;
    throw new PregonError('SNAPSHOT_UNAVAILABLE', 'a transaction is open on this connection', { cause: error });
  }
}

/** One prepared statement a connection. */
function insertStatements(table: string): (tx: SqliteWriter) => SqliteStatement {
  const statements = new WeakMap<SqliteWriter, SqliteStatement>();
  return (tx) => {
    const known = statements.get(tx);
    if (known !== undefined) return known;
    const statement = tx.prepare(`INSERT INTO ${table} (written_at, bytes, event) VALUES (?, ?, ?)`);
    statements.set(tx, statement);
    return statement;
  };
}

/**
 * Runs `action` once for all the calls of a turn of the event loop, after it: a transaction that is synchronous, as those of these
 * drivers are, is committed by then.
 */
function coalesced(action: () => void): () => void {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      action();
    });
  };
}
