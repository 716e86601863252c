import type { PregonEvent } from '@pregon/protocol';
import { encodeEvent, type OutboxEvent } from '../event.js';
import { completeOptions, type OutboxOptions } from '../options.js';
import type { Relay, RelayOptions } from '../relay.js';
import { OutboxRelay } from '../relay-loop.js';
import type { OutboxSnapshot } from '../snapshot.js';
import { assertTableName, sql } from '../sql.js';
import { databaseOf } from './database.js';
import { PostgresRelaySource } from './relay-source.js';
import { type PostgresNames, postgresNames } from './schema.js';
import { sessionOf, transactionSession } from './session.js';
import type {
  KyselyDatabase,
  KyselyTransaction,
  PgClient,
  PgPool,
  PgPoolClient,
  PostgresJsSql,
  PostgresJsTransaction,
  PostgresPool,
  PostgresTransaction,
  TypeOrmDataSource,
} from './shapes.js';
import { type ReadRows, SnapshotTaker } from './snapshot.js';
import { isTypeOrmDataSource, poolOfDataSource } from './typeorm.js';

export interface PostgresRelayOptions extends RelayOptions {
  /**
   * Where to take connections from: a `Pool` of pg, a `postgres(…)`, a `DataSource` of TypeORM, whose pool is one of pg, or a `Kysely`,
   * which cannot listen. With pg, one connection is kept to listen; postgres opens one beside its pool.
   */
  readonly db: PostgresPool;
  /**
   * How long an event may go unseen where no notification tells of it: lost on the way, or not sent by a writer that does not use
   * `add`. @default 1000; 100 where the driver cannot listen
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
 * - **Nothing poisonous.** `add` refuses what a log would refuse, so that no event can stand in the way of those behind it.
 */
export interface PostgresOutbox {
  readonly source: string;
  readonly table: string;

  /** Creates what is missing. Any number of processes may do so at once. */
  migrate(db: PostgresPool | PgClient): Promise<void>;

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
   * of PostgreSQL for 15 seconds. To begin and to end, it waits no longer than 5 seconds for an answer.
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
}

/** Channel and tables are plain names, see {@link assertTableName}. */
function insertStatement({ outbox, quiet, channel }: PostgresNames): string {
  return `WITH written AS (INSERT INTO ${outbox} (event) VALUES ($1))
    SELECT pg_notify('${channel}', '') FROM ${quiet} WHERE last_value <= extract(epoch FROM clock_timestamp()) * 1000`;
}

/** An answer that takes longer is none: the connection is given up. */
const ANSWER_MS = 5_000;
const LEASE_MS = 5_000;
const POLL_MS = 1_000;
const POLL_ALONE_MS = 100;

/** @throws TypeError | RangeError for options that cannot be */
export function createPostgresOutbox(options: OutboxOptions): PostgresOutbox {
  const { source, table, maxEventBytes, now } = completeOptions(options);
  assertTableName('postgres', table);
  const names = postgresNames(table);
  const insert = insertStatement(names);
  const takers = new WeakMap<object, SnapshotTaker>();

  /** One a pool, since those of a pool go one after the other. */
  function takerOn(pool: object): SnapshotTaker {
    const known = takers.get(pool);
    if (known !== undefined) return known;
    const taker = new SnapshotTaker(databaseOf(pool, ANSWER_MS), names, source);
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
      const session = sessionOf(isTypeOrmDataSource(db) ? poolOfDataSource(db) : db);
      await session.query(`${withoutNotices};\n${oneAtATime};\n${sql('postgres', table)}`);
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
      if (!(leaseMs >= 100 && leaseMs <= 3_600_000))
        throw new RangeError('leaseMs must be from 100 to 3600000 milliseconds');
      const database = databaseOf(db, ANSWER_MS);
      const { pollIntervalMs = database.listen === undefined ? POLL_ALONE_MS : POLL_MS } = relayOptions;
      return new OutboxRelay(new PostgresRelaySource(database, names, { leaseMs, logger }), {
        ...relayOptions,
        pollIntervalMs,
      });
    },
  };
}
