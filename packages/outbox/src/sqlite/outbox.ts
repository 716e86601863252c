import {
  type BlockTarget,
  PregonError,
  type PregonEvent,
  type Revocation,
  type RevocationTarget,
  type RevokedSubject,
  toBlock,
  toRevocation,
  toUnblock,
} from '@pregon/protocol';
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
import { insertRevocation } from './revocations.js';
import { countStuckBelow, sqliteStuck } from './stuck.js';
import { highestSequence, relayedSequence, sqliteRelaySource } from './table.js';

export interface SqliteRelayOptions extends RelayOptions {
  /**
   * The connection for reading and removing rows. It may be the one that writes events. With its own connection, the
   * relay continues while a transaction of the writers is open.
   */
  readonly db: SqliteDatabase;
  /**
   * The polling interval for events of other processes, in milliseconds; events of this process are seen at once.
   * @default 100
   */
  readonly pollIntervalMs?: number;
}

/**
 * Writes events in the same transaction as the change that they describe. Guarantees, proven by test/contract and
 * test/e2e:
 *
 * - **Write and event are one.** A transaction that is rolled back emits nothing. One that is committed emits its
 *   events, even if the process is killed in the next instruction: the next relay on the table finds them.
 * - **Order.** Sequences have the order of the commits, increase strictly, and no committed one is used twice.
 * - **No event blocks the others.** `add` refuses an event that a log would refuse. A relay sets aside such events if
 *   another program wrote them.
 */
export interface SqliteOutbox {
  readonly source: string;
  readonly table: string;

  /**
   * Creates the missing tables. Any number of processes may call it at the same time.
   *
   * @throws TypeError if `db` is not a synchronous connection to SQLite; and the errors of the driver
   * @example
   * outbox.migrate(db);
   */
  migrate(db: SqliteDatabase): void;

  /**
   * Writes an event in the transaction that is open on this connection; without one, in a transaction of its own.
   * Relays of this outbox in this process look for it as soon as the running code has returned to the event loop.
   *
   * @returns the event with its `sequence`, which is final once the transaction is committed
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
   * @throws TypeError if JSON cannot represent `data` (a BigInt, a cycle, a function); and the errors of the driver. If
   * it throws, nothing is written.
   * @example
   * db.transaction(() => {
   *   db.prepare('INSERT INTO users (id, name) VALUES (?, ?)').run(42, 'Ada');
   *   outbox.add(db, { exchange: 'my_events', topic: 'user.42.created', type: 'UserWasCreated', data: { id: 42 } });
   * })();
   */
  add<Data>(tx: SqliteWriter, event: OutboxEvent<Data>): PregonEvent<Data>;

  /**
   * Ends tokens before they expire, on all gateways of the log, if the transaction commits: `{ iss, sub }` the tokens of
   * a subject that were issued until now, `{ iss, jti }` one token, `{ iss, issuedBefore }` the older tokens of an
   * issuer. It is relayed before all events that wait.
   *
   * @throws TypeError | RangeError if the target is not valid, or if the table is missing: call `migrate`; and the
   *   errors of the driver
   * @example
   * outbox.revoke(db, { iss: 'shop', sub: '42' });
   */
  revoke(tx: SqliteWriter, target: RevocationTarget): void;

  /**
   * Ends all tokens of a subject, as `revoke` does, and refuses newer ones until a time. A later call replaces the time.
   *
   * @throws as `revoke`
   * @example
   * outbox.block(db, { iss: 'shop', sub: '42', until: new Date('2030-01-01') });
   */
  block(tx: SqliteWriter, target: BlockTarget): void;

  /** Lifts the block of a subject, as `block` sets it. @throws as `revoke` */
  unblock(tx: SqliteWriter, subject: RevokedSubject): void;

  /**
   * Reads rows and the highest sequence in one read transaction, so that no writer, in any process, comes between them.
   *
   * @param read synchronous; must only read
   * @throws PregonError SNAPSHOT_UNAVAILABLE (retryable) while a transaction is open on this connection: the rows could
   * include changes that may still be rolled back
   * @throws TypeError if `read` does not return an array
   * @example
   * const { rows, sequence } = outbox.snapshot(db, () => db.prepare('SELECT * FROM users').all());
   */
  snapshot<Db extends SqliteDatabase, Row>(db: Db, read: (db: Db) => readonly Row[]): OutboxSnapshot<Row>;

  /**
   * Returns a relay from this table to a log; call its `start`.
   *
   * @throws TypeError if the table is missing
   */
  relay(options: SqliteRelayOptions): Relay;

  /** Returns the events that a relay has set aside, to list, retry or delete them as `pregon outbox stuck` does. */
  stuck(db: SqliteDatabase): StuckEvents;
}

/** The methods used on a connection that writes events, and on one that a relay drains. */
const WRITER = ['prepare'];
const DATABASE = ['prepare', 'exec'];

/** The minimum time for which `migrate` waits for another process that migrates. */
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

  function write(tx: SqliteWriter, revocation: Revocation): void {
    insertRevocation(connectionOf(tx, WRITER), table, revocation);
    if (running.size > 0) wakeRunning();
  }

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
      // Check the handle first: if the two arguments are swapped, the error says so.
      const insert = insertInto(tx);
      const writtenAt = now();
      const { event: complete, text, bytes } = encodeEvent(event, { source, now: writtenAt, maxEventBytes });
      const sequence = integerIn(insert.run(writtenAt, bytes, text), 'lastInsertRowid');
      if (running.size > 0) wakeRunning();
      return withSequence(complete, sequence);
    },
    revoke: (tx, target) => write(tx, toRevocation(target, now())),
    block: (tx, target) => write(tx, toBlock(target, now())),
    unblock: (tx, subject) => write(tx, toUnblock(subject, now())),
    snapshot(handle, read) {
      const db = connectionOf(handle, DATABASE);
      return takeSnapshot(db, () => {
        const given = highestSequence(db, table)();
        // The log never gets the last events that were set aside.
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

/** Keeps one prepared statement per connection. */
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
 * Runs `action` once for all calls in a turn of the event loop, after the turn. A synchronous transaction, as these
 * drivers have, is committed by then.
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
