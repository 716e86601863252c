import type { PregonEvent } from '@pregon/protocol';
import { encodeEvent, type OutboxEvent } from '../event.js';
import { kindOf } from '../handles.js';
import { completeOptions, type OutboxOptions } from '../options.js';
import type { Relay, RelayOptions } from '../relay.js';
import { OutboxRelay } from '../relay-loop.js';
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
import { type PostgresNames, postgresNames } from './schema.js';
import { type Session, sessionOf, transactionSession } from './session.js';
import { type ReadRows, SnapshotTaker } from './snapshot.js';
import { postgresStuck } from './stuck.js';

export interface PostgresOutboxOptions extends OutboxOptions {
  /**
   * How long PostgreSQL may take to answer, in milliseconds, from 100 to 3600000. After that, the outbox closes the connection. The
   * server ends a transaction of the outbox that sends nothing for this time, and a snapshot on a pool of fewer than four connections
   * after three times this time. Set it higher if the server is far away or busy. @default 5000
   */
  readonly answerTimeoutMs?: number;
}

export interface PostgresRelayOptions extends RelayOptions {
  /**
   * Where to take connections from: a `Pool` of pg, a `postgres(…)`, a `DataSource` of TypeORM, whose pool is one of pg, or a `Kysely`,
   * which cannot listen. With pg, one connection is kept to listen, unless it is the last one of the pool: then the relay polls. postgres
   * opens one beside its pool.
   */
  readonly db: PostgresPool;
  /**
   * How long an event may go unseen where no notification tells of it: lost on the way, or not sent by a writer that does not use
   * `add`. @default 1000; 100 if the driver cannot listen, or its pool has no connection to spare
   */
  readonly pollIntervalMs?: number;
  /**
   * After how many milliseconds without a word of its relay another process takes over. A process that was killed is noticed sooner,
   * by the end of its connection. @default 5000
   */
  readonly leaseMs?: number;
}

export type PostgresRelay = Relay<Promise<number>>;

/**
 * Events that are written in the transaction of the change that they tell of. Guarantees, proven by test/contract and test/e2e:
 *
 * - **Write and event are one.** What is rolled back emits nothing; what is committed is emitted, also when the process is
 *   killed in the next instruction. An event reaches the log only once its transaction is on the server's disk.
 * - **Order.** The events of transactions that changed the same row are numbered in the order of their commits, provided that each adds
 *   its event *after* its change. No transaction is missed, however long it was open, and none waits for another.
 * - **No event blocks the others.** `add` refuses an event that a log would refuse. A relay sets aside such events if they were written in
 *   another way.
 */
export interface PostgresOutbox {
  readonly source: string;
  readonly table: string;

  /**
   * Creates the tables that are missing. Any number of processes may do so at once.
   *
   * @throws TypeError if `db` is not a handle of PostgreSQL; what the driver throws is passed on
   */
  migrate(db: PostgresPool | PgClient | Pglite): Promise<void>;

  /**
   * Writes an event in the caller's transaction: a client of pg after its BEGIN, the `sql` that `sql.begin` of postgres hands on, a
   * `Transaction` of kysely, or the `EntityManager`, `QueryRunner` or a `Repository` of a transaction of TypeORM. **Change first, then
   * add**: what makes the second of two transactions come later is that its change waits for the first one's commit.
   *
   * A client of pg on which no transaction is open writes the event in one of its own.
   *
   * @returns the event; its sequence is given after the commit
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE
   * @throws TypeError where `data` holds what JSON cannot (a BigInt, a cycle, a function), or `tx` is in no transaction: a pool, a manager of TypeORM outside of one
   *   Nothing is written where it throws; what else the driver throws is passed on.
   */
  add<Data>(tx: PostgresTransaction, event: OutboxEvent<Data>): Promise<PregonEvent<Data>>;

  /**
   * Reads rows and the highest sequence of one MVCC snapshot, so that no writer, in whatever process, comes between.
   *
   * Takes two connections of the pool: one numbers what is visible, for some milliseconds, and the other reads. From a pool of fewer
   * than four connections it takes one, and no event is numbered, hence relayed, until `read` is done; it fails where `read` asks nothing
   * of PostgreSQL for three times `answerTimeoutMs`. To begin and to end, it waits no longer than that time itself for an answer.
   *
   * @param read is given the driver's own handle of a transaction that is REPEATABLE READ, READ ONLY. Called again
   *   where PostgreSQL asks for another try.
   * @throws TypeError where `read` returns no array; what it throws, and what the driver throws, is passed on
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

  /** A relay from this table to a log; call `start` on it, in every process. One at a time is at work, the others stand by. */
  relay(options: PostgresRelayOptions): PostgresRelay;

  /** The events that a relay has set aside: lists them, puts them back or deletes them, as `pregon outbox stuck` does. */
  stuck(db: PostgresPool | PgClient | Pglite): StuckEvents<Promise<number>>;
}

/** Channel and tables are plain names, see {@link assertTableName}. */
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

  /** One a pool, since those of a pool go one after the other. */
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
  // Whose pool it is, his transaction is read through.
  function snapshot<Row>(db: PostgresPool, read: ReadRows<Row>): Promise<OutboxSnapshot<Row>> {
    return takerOn(db).take(read);
  }

  return {
    source,
    table,
    async migrate(db) {
      // IF NOT EXISTS fails where another process creates the same at that instant.
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
