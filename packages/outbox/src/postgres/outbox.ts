import {
  type BlockTarget,
  type PregonEvent,
  type Revocation,
  type RevocationTarget,
  type RevokedSubject,
  toBlock,
  toRevocation,
  toUnblock,
} from '@pregon/protocol';
import { encodeEvent, type OutboxEvent } from '../event.js';
import { kindOf } from '../handles.js';
import { completeOptions, type OutboxOptions } from '../options.js';
import type { Relay, RelayOptions } from '../relay.js';
import { OutboxRelay } from '../relay-loop.js';
import { encodeRevocation } from '../revocations/revocation-row.js';
import type { OutboxSnapshot } from '../snapshot.js';
import { assertTableName, sql } from '../sql.js';
import type { StuckEvents } from '../stuck.js';
import { databaseOf } from './database-of.js';
import { innerPool } from './drivers/foreign-handles.js';
import type {
  KyselyDatabase,
  KyselyTransaction,
  PgClient,
  Pglite,
  PgPool,
  PgPoolClient,
  PostgresJsSql,
  PostgresJsTransaction,
  PostgresPool,
  PostgresTransaction,
  TypeOrmDataSource,
} from './drivers/shapes.js';
import { isTypeOrmDataSource, poolOfDataSource } from './drivers/typeorm.js';
import { PostgresRelaySource } from './relay/relay-source.js';
import { insertRevocation } from './revocations.js';
import { type PostgresNames, postgresNames } from './schema.js';
import { type Session, sessionOf, transactionSession } from './session.js';
import { type ReadRows, SnapshotTaker } from './snapshot.js';
import { postgresStuck } from './stuck.js';

export interface PostgresOutboxOptions extends OutboxOptions {
  /**
   * The time limit for an answer of PostgreSQL, in milliseconds, from 100 to 3600000. After it, the outbox closes the
   * connection. The server ends a transaction of the outbox that sends nothing for this time, and a snapshot on a pool
   * of fewer than four connections after three times this time. Set a higher value if the server is far away or busy.
   * @default 5000
   */
  readonly answerTimeoutMs?: number;
}

export interface PostgresRelayOptions extends RelayOptions {
  /**
   * The source of connections: a `Pool` of pg, a `postgres(…)`, a `DataSource` of TypeORM (whose pool is one of pg), or
   * a `Kysely`, which cannot listen. With pg, the relay keeps one connection to listen, unless it is the last one of
   * the pool: then the relay polls. With postgres, it opens one in addition to the pool.
   */
  readonly db: PostgresPool;
  /**
   * The polling interval, in milliseconds. It limits the delay of an event whose notification was lost, or whose writer
   * does not use `add`.
   * @default 1000; 100 if the driver cannot listen, or its pool has no connection to spare
   */
  readonly pollIntervalMs?: number;
  /**
   * The time after which another process takes over if the active relay does not renew its lease, in milliseconds. The
   * end of a killed process is noticed sooner, because its connection ends.
   * @default 5000
   */
  readonly leaseMs?: number;
}

export type PostgresRelay = Relay<Promise<number>>;

/**
 * Writes events in the same transaction as the change that they describe. Guarantees, proven by test/contract and
 * test/e2e:
 *
 * - **Write and event are one.** A transaction that is rolled back emits nothing. One that is committed emits its
 *   events, even if the process is killed in the next instruction. An event reaches the log only once its transaction
 *   is on the server's disk.
 * - **Order.** The events of transactions that changed the same row are numbered in the order of their commits,
 *   provided that each adds its event *after* its change. No transaction is missed, however long it was open, and none
 *   waits for another.
 * - **No event blocks the others.** `add` refuses an event that a log would refuse. A relay sets aside such events if
 *   another program wrote them.
 */
export interface PostgresOutbox {
  readonly source: string;
  readonly table: string;

  /**
   * Creates the missing tables. Any number of processes may call it at the same time.
   *
   * @throws TypeError if `db` is not a handle of PostgreSQL; and the errors of the driver
   * @example
   * await outbox.migrate(pool);
   */
  migrate(db: PostgresPool | PgClient | Pglite): Promise<void>;

  /**
   * Writes an event in the caller's transaction. `tx` is a client of pg after its BEGIN, the `sql` that `sql.begin` of
   * postgres passes on, a `Transaction` of kysely, or the `EntityManager`, `QueryRunner` or a `Repository` of a
   * transaction of TypeORM. **Change first, then add**: the change of the second transaction waits for the commit of
   * the first, so the event that it adds afterwards comes later.
   *
   * A client of pg without an open transaction writes the event in a transaction of its own.
   *
   * @returns the event; it gets its sequence after the commit
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
   * @throws TypeError if JSON cannot represent `data` (a BigInt, a cycle, a function), or if `tx` is not in a
   * transaction (a pool, or a manager of TypeORM outside of one); and the errors of the driver. If it throws, nothing
   * is written.
   * @example
   * await client.query('BEGIN');
   * await client.query('UPDATE users SET name = $1 WHERE id = $2', ['Ada', 42]);
   * await outbox.add(client, { exchange: 'my_events', topic: 'user.42.updated', type: 'UserWasUpdated' });
   * await client.query('COMMIT');
   */
  add<Data>(tx: PostgresTransaction, event: OutboxEvent<Data>): Promise<PregonEvent<Data>>;

  /**
   * Ends tokens before they expire, on all gateways of the log, if the transaction commits: `{ iss, sub }` the tokens of
   * a subject that were issued until now, `{ iss, jti }` one token, `{ iss, issuedBefore }` the older tokens of an
   * issuer. It is relayed before all events that wait.
   *
   * @throws TypeError | RangeError if the target is not valid, if `tx` is not in a transaction, or if the table is missing: call `migrate`; and the
   *   errors of the driver
   * @example
   * await outbox.revoke(client, { iss: 'shop', sub: '42' });
   */
  revoke(tx: PostgresTransaction, target: RevocationTarget): Promise<void>;

  /**
   * Ends all tokens of a subject, as `revoke` does, and refuses newer ones until a time. A later call replaces the time.
   *
   * @throws as `revoke`
   * @example
   * await outbox.block(client, { iss: 'shop', sub: '42', until: new Date('2030-01-01') });
   */
  block(tx: PostgresTransaction, target: BlockTarget): Promise<void>;

  /** Lifts the block of a subject, as `block` sets it. @throws as `revoke` */
  unblock(tx: PostgresTransaction, subject: RevokedSubject): Promise<void>;

  /**
   * Reads rows and the highest sequence in one MVCC snapshot, so that no writer, in any process, comes between them.
   *
   * It takes two connections of the pool: one numbers the visible rows, for some milliseconds, and the other reads.
   * From a pool of fewer than four connections it takes one, and no event is numbered, and so relayed, until `read` is
   * done. Then it fails if `read` sends no query to PostgreSQL for three times `answerTimeoutMs`. The time limit for an
   * answer at the begin and the end of the transaction is `answerTimeoutMs` itself.
   *
   * @param read gets the driver's own handle of a REPEATABLE READ, READ ONLY transaction. It is called again if
   * PostgreSQL asks for a retry.
   * @throws TypeError if `read` does not return an array; and the errors of `read` and of the driver
   * @example
   * const { rows, sequence } = await outbox.snapshot(pool, async (reader) => {
   *   return (await reader.query('SELECT * FROM users')).rows;
   * });
   */
  snapshot<Client extends PgPoolClient, Row>(
    db: PgPool<Client>,
    read: (client: Client) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  snapshot<Tx extends PostgresJsTransaction, Row>(
    db: PostgresJsSql<Tx>,
    read: (sql: Tx) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  snapshot<Tx extends KyselyTransaction, Row>(
    db: KyselyDatabase<Tx>,
    read: (tx: Tx) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  snapshot<Client extends PgPoolClient, Row>(
    db: TypeOrmDataSource,
    read: (client: Client) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;

  /**
   * Returns a relay from this table to a log; call its `start` in every process. One relay is active at a time, the
   * others stand by.
   */
  relay(options: PostgresRelayOptions): PostgresRelay;

  /** Returns the events that a relay has set aside, to list, retry or delete them as `pregon outbox stuck` does. */
  stuck(db: PostgresPool | PgClient | Pglite): StuckEvents<Promise<number>>;
}

/** Channel and table names are safe in SQL, see {@link assertTableName}. */
function insertStatement({ outbox, quiet, channel }: PostgresNames): string {
  return `WITH written AS (INSERT INTO ${outbox} (event) VALUES ($1))
    SELECT pg_notify('${channel}', '') FROM ${quiet} WHERE last_value <= extract(epoch FROM clock_timestamp()) * 1000`;
}

const ANSWER_MS = 5_000;
const LEASE_MS = 5_000;
const POLL_MS = 1_000;
const POLL_ALONE_MS = 100;

/**
 * An outbox in PostgreSQL, 13 or later. Creating it runs no query.
 *
 * @throws TypeError | RangeError if an option is not valid
 *
 * @example
 * const outbox = createPostgresOutbox({ source: '/shop' });
 * await outbox.migrate(pool);
 * outbox.relay({ db: pool, log: await openLog('sqlite:data/pregon.db') }).start();
 */
export function createPostgresOutbox(options: PostgresOutboxOptions): PostgresOutbox {
  const { answerTimeoutMs = ANSWER_MS } = options;
  assertMs('answerTimeoutMs', answerTimeoutMs);
  const { source, table, maxEventBytes, now } = completeOptions(options);
  assertTableName('postgres', table);
  const names = postgresNames(table);
  const insert = insertStatement(names);
  const takers = new WeakMap<object, SnapshotTaker>();

  /** Returns the one taker of a pool, because the snapshots of a pool must take turns. */
  function takerOn(pool: object): SnapshotTaker {
    const known = takers.get(pool);
    if (known !== undefined) return known;
    const taker = new SnapshotTaker(databaseOf(pool, answerTimeoutMs), { names, source, answerTimeoutMs });
    takers.set(pool, taker);
    return taker;
  }

  function snapshot<Client extends PgPoolClient, Row>(
    db: PgPool<Client>,
    read: (client: Client) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  function snapshot<Tx extends PostgresJsTransaction, Row>(
    db: PostgresJsSql<Tx>,
    read: (sql: Tx) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  function snapshot<Tx extends KyselyTransaction, Row>(
    db: KyselyDatabase<Tx>,
    read: (tx: Tx) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  function snapshot<Client extends PgPoolClient, Row>(
    db: TypeOrmDataSource,
    read: (client: Client) => Promise<readonly Row[]>,
  ): Promise<OutboxSnapshot<Row>>;
  // The transaction is read through the driver of the pool that was passed.
  function snapshot<Row>(db: PostgresPool, read: ReadRows<Row>): Promise<OutboxSnapshot<Row>> {
    return takerOn(db).take(read);
  }

  const insertRevoked = insertRevocation(names);

  async function write(tx: PostgresTransaction, revocation: Revocation): Promise<void> {
    await transactionSession(tx).query(insertRevoked, [encodeRevocation(revocation)]);
  }

  return {
    source,
    table,
    async migrate(db) {
      // IF NOT EXISTS fails if another process creates the same table at that instant.
      const oneAtATime = `SELECT pg_advisory_xact_lock(hashtext('${names.channel}'))`;
      const withoutNotices = 'SET LOCAL client_min_messages = warning';
      await sessionOn(db).query(`${withoutNotices};\n${oneAtATime};\n${sql('postgres', table)}`);
    },
    async add(tx, event) {
      const session = transactionSession(tx);
      const { event: complete, text } = encodeEvent(event, { source, now: now(), maxEventBytes });
      await session.query(insert, [text]);
      return complete;
    },
    revoke: async (tx, target) => write(tx, toRevocation(target, now())),
    block: async (tx, target) => write(tx, toBlock(target, now())),
    unblock: async (tx, subject) => write(tx, toUnblock(subject, now())),
    snapshot,
    relay(relayOptions) {
      const { db, leaseMs = LEASE_MS, logger } = relayOptions;
      assertMs('leaseMs', leaseMs);
      const database = databaseOf(db, answerTimeoutMs);
      const { pollIntervalMs = POLL_MS } = relayOptions;
      const pollAloneMs = relayOptions.pollIntervalMs ?? POLL_ALONE_MS;
      const source = new PostgresRelaySource(database, names, { leaseMs, answerTimeoutMs, pollAloneMs, logger });
      return new OutboxRelay(source, { ...relayOptions, pollIntervalMs });
    },
    stuck: (db) => postgresStuck(sessionOn(db), names),
  };
}

function sessionOn(db: PostgresPool | PgClient | Pglite): Session {
  if (isTypeOrmDataSource(db)) return sessionOf(poolOfDataSource(db));
  return sessionOf(kindOf(db) === 'pglite' ? db : innerPool(db));
}

function assertMs(name: string, value: number): void {
  if (!(value >= 100 && value <= 3_600_000)) throw new RangeError(`${name} must be from 100 to 3600000 milliseconds`);
}
