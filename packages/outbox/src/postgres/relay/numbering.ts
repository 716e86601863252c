import { integerIn, textIn } from '../../column.js';
import { BATCH_BYTES } from '../../relay-source.js';
import type { PostgresNames } from '../schema.js';

/** The most rows that are numbered at once by a relay: what a backlog of any size holds the lock for stays short. */
export const NUMBERED_AT_ONCE = 10_000;

/** A transaction, and the running server that it is of: another one, a replica that took over say, may use its number again. */
export interface Mark {
  /** An xid8. */
  readonly xid: string;
  /** When the server was started, seconds since the epoch. */
  readonly server: string;
}

/** Before all transactions. */
export const FROM_THE_FIRST: Mark = { xid: '0', server: '0' };

export interface Numbered {
  /** How many rows were numbered. */
  readonly count: number;
  /** The highest sequence of all. */
  readonly last: number;
  /** All up to here is in the log. */
  readonly relayed: number;
  /** No row of an older transaction is left without a number, unless `count` came to the limit. */
  readonly from: Mark;
}

/**
 * What has to come before {@link numberRows} in a transaction: only one transaction numbers at a time, and LOCK is no query, so also
 * a REPEATABLE READ transaction has no MVCC snapshot yet when it is done waiting, and sees all that was numbered before it.
 *
 * An ordinary writer never touches the table that is locked.
 */
export function lockForNumbering({ state }: PostgresNames): string {
  return `LOCK TABLE ${state} IN EXCLUSIVE MODE`;
}

/** How long a transaction that numbers may wait, in milliseconds. */
export interface NumberingPatience {
  /** For the lock. */
  readonly lockMs: number;
  /** For the next statement of its own client, which may be frozen or cut off while all others wait for the lock. */
  readonly idleMs: number;
}

/**
 * The settings of a transaction that numbers. A number is used outside as soon as it is committed, by the log and by snapshots, so
 * the commit has to be durable, and with it those of the writers that it saw, whatever the settings of the role.
 *
 * The server itself ends what it waits for too long, since nobody else can take the lock from a process that stands still.
 */
export function settingsForNumbering({ lockMs, idleMs }: NumberingPatience): string[] {
  return [
    'SET LOCAL synchronous_commit = on',
    'SET LOCAL statement_timeout = 0',
    `SET LOCAL lock_timeout = ${lockMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${idleMs}`,
  ];
}

/**
 * Gives the next numbers to all visible rows, in the order of their ids.
 *
 * Why that keeps the order of each row of the application: of two transactions that change it, the second waits for the first to
 * commit. It adds its event after that, so with a higher id; and whoever sees the second sees the first. Between rows of
 * transactions that did not meet, any order is right. The numbers given before are all below, whatever the ids: nothing
 * asks for ids beyond the last, so a transaction that took its id early and commits late is not missed.
 *
 * Why `from` loses nothing: below the `xmin` of an MVCC snapshot, all transactions are over. Their rows were visible in it, hence numbered,
 * if all that was visible was numbered. It saves looking at rows that are dead but cannot be vacuumed while somebody, a backup say,
 * holds an old MVCC snapshot.
 *
 * @param from rows of older transactions are not looked at
 */
export function numberRows({ outbox, numbered, state }: PostgresNames, from: Mark, atMost?: number): string {
  return `WITH visible AS (
    SELECT tx, id FROM ${outbox} WHERE tx >= ${oldest(from)} ORDER BY id${atMost === undefined ? '' : ` LIMIT ${atMost}`}
  ), taken AS (
    DELETE FROM ${outbox} o USING visible v WHERE o.tx = v.tx AND o.id = v.id RETURNING o.id, o.written_at, o.event
  ), before AS (
    SELECT relayed, greatest(relayed, (SELECT max(n.sequence) FROM ${numbered} n WHERE n.sequence > s.relayed)) AS last
    FROM ${state} s
  ), given AS (
    INSERT INTO ${numbered} (sequence, written_at, event)
    SELECT (SELECT last FROM before) + row_number() OVER (ORDER BY id), written_at, event FROM taken
    RETURNING sequence
  )
  SELECT (SELECT count(*) FROM given)::text AS count,
    greatest((SELECT max(sequence) FROM given), (SELECT last FROM before))::text AS last,
    (SELECT relayed FROM before)::text AS relayed,
    pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, ${SERVER} AS server`;
}

/** SQL that removes the rows after a sequence, `$3`, up to another, `$2`, and notes it. It does nothing if the lease `$1` is not held. */
export function removeRelayed({ numbered, state }: PostgresNames): string {
  return `WITH mine AS (
    UPDATE ${state} SET relayed = greatest(relayed, $2::bigint) WHERE holder = $1::uuid RETURNING one
  ), removed AS (
    DELETE FROM ${numbered} WHERE sequence > $3::bigint AND sequence <= $2::bigint AND EXISTS (SELECT FROM mine)
  )
  SELECT count(*)::text AS held FROM mine`;
}

const SERVER = 'extract(epoch FROM pg_postmaster_start_time())::text';

/** The transaction of a mark in SQL; the first of all, where the mark is of another server. */
export function oldest({ xid, server }: Mark): string {
  // They are written into SQL as they are.
  if (!/^\d{1,20}$/.test(xid) || !/^\d+(\.\d+)?$/.test(server)) throw new TypeError(`not a mark: ${xid} of ${server}`);
  return `(CASE ${SERVER} WHEN '${server}' THEN '${xid}' ELSE '0' END)::xid8`;
}

export function readNumbered([row]: readonly unknown[]): Numbered {
  return {
    count: integerIn(row, 'count'),
    last: integerIn(row, 'last'),
    relayed: integerIn(row, 'relayed'),
    from: { xid: textIn(row, 'xmin'), server: textIn(row, 'server') },
  };
}

/** What the server can send although nobody reads, since the network's own memory takes it: 16 KiB. */
const SENT_AT_ONCE_BYTES = 16_384;

/** The numbered rows after a sequence whose predecessors in the batch stay below the limit of bytes: one at least, however large. */
export function selectBatch(names: PostgresNames, after: number, atMost: number): string {
  return selectNumbered(names, after, atMost, `through - octet_length(event) < ${BATCH_BYTES}`);
}

/**
 * The first of them, none where it is large: for a transaction that has the lock, which a server that sends to a frozen process would
 * not give back.
 */
export function selectSmallBatch(names: PostgresNames, after: number, atMost: number): string {
  return selectNumbered(names, after, atMost, `through <= ${SENT_AT_ONCE_BYTES}`);
}

function selectNumbered({ numbered, state }: PostgresNames, after: number, atMost: number, where: string): string {
  return `SELECT sequence::text AS sequence, event FROM (
    SELECT sequence, event, sum(octet_length(event)) OVER (ORDER BY sequence) AS through FROM (
      SELECT sequence, event FROM ${numbered}
      WHERE sequence > greatest(${after}, (SELECT relayed FROM ${state}))
      ORDER BY sequence LIMIT ${atMost}
    ) next
  ) sized WHERE ${where} ORDER BY sized.sequence`;
}
