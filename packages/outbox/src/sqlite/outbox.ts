import { PregonError, type PregonEvent } from '@pregon/protocol';
import { integerIn } from '../column.js';
import { encodeEvent, type OutboxEvent, SEQUENCE_BYTES, withSequence } from '../event.js';
import { isObject } from '../handles.js';
import { completeOptions, type OutboxOptions } from '../options.js';
import type { Relay, RelayOptions } from '../relay.js';
import { OutboxRelay, type RunningRelays } from '../relay-loop.js';
import { assertRows, type OutboxSnapshot } from '../snapshot.js';
import { assertTableName, sql } from '../sql.js';
import type { StuckEvents } from '../stuck.js';
import { assertSynchronous, connectionOf } from './connection.js';
import {
  inTransaction,
  isNested,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteWriter,
  withBusyTimeout,
} from './database.js';
import { countStuckBelow, sqliteStuck } from './stuck.js';
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
 * - **No event blocks the others.** `add` refuses an event that a log would refuse. A relay sets aside such events if they were written in
 *   another way.
 */
export interface SqliteOutbox {
  readonly source: string;
  readonly table: string;

  /**
   * Creates the tables that are missing. Any number of processes may do so at once.
   *
   * @throws TypeError if `db` is not a synchronous connection to SQLite; what the driver throws is passed on
   */
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

  /** The events that a relay has set aside: lists them, puts them back or deletes them, as `pregon outbox stuck` does. */
  stuck(db: SqliteDatabase): StuckEvents;
}

/** What is called on a connection that events are written through, and on one that a relay drains. */
const WRITER = ['prepare'];
const DATABASE = ['prepare', 'exec'];

/** How long `migrate` waits at least for another process that does the same. */
const MIGRATE_WAIT_MS = 5_000;

/**
 * An outbox in SQLite. Creating it does not touch a database.
 *
 * @throws TypeError | RangeError if an option is not valid
 *
 * @example
 * const outbox = createSqliteOutbox({ source: '/shop' });
 * outbox.migrate(db);
 * outbox.relay({ db, log: await openLog('sqlite:data/pregon.db') }).start();
 */
export function createSqliteOutbox(options: OutboxOptions): SqliteOutbox {
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
    migrate(handle) {
      const db = connectionOf(handle, DATABASE);
      withBusyTimeout(
        db,
        (currentMs) => Math.max(currentMs, MIGRATE_WAIT_MS),
        () => db.exec(sql('sqlite', table)),
      );
    },
    add(tx, event) {
      // The handle first: where the two arguments are exchanged, it says so.
      const insert = insertInto(tx);
      const writtenAt = now();
      const { event: complete, text, bytes } = encodeEvent(event, { source, now: writtenAt, maxEventBytes });
      const sequence = integerIn(insert.run(writtenAt, bytes, text), 'lastInsertRowid');
      if (running.size > 0) wakeRunning();
      return withSequence(complete, sequence);
    },
    snapshot(handle, read) {
      const db = connectionOf(handle, DATABASE);
      return takeSnapshot(db, () => {
        const given = highestSequence(db, table)();
        // The log never comes to those that were set aside last.
        const sequence = given - countStuckBelow(db, table, given);
        return { rows: read(db), sequence, source, relayed: relayedSequence(db, table) ?? sequence };
      });
    },
    relay(relayOptions) {
      return new OutboxRelay(
        sqliteRelaySource(connectionOf(relayOptions.db, DATABASE), table, now),
        relayOptions,
        running,
      );
    },
    stuck: (db) =>
      sqliteStuck({
        db: connectionOf(db, DATABASE),
        table,
        now,
        sequenceBytes: SEQUENCE_BYTES,
        onRetried: wakeRunning,
      }),
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
    const known = isObject(tx) ? statements.get(tx) : undefined;
    if (known !== undefined) return known;
    const connection = connectionOf(tx, WRITER);
    const ofConnection = statements.get(connection);
    if (ofConnection !== undefined) return ofConnection;
    const statement = connection.prepare(`INSERT INTO ${table} (written_at, bytes, event) VALUES (?, ?, ?)`);
    assertSynchronous(statement);
    statements.set(connection, statement);
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
