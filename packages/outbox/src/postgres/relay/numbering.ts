import { integerIn, textIn } from '../../column.js';
import { BATCH_BYTES } from '../../relay-source.js';
import type { PostgresNames } from '../schema.js';

/** The maximum number of rows that a relay numbers at once: it keeps the lock short for a backlog of any size. */
export const NUMBERED_AT_ONCE = 10_000;

/**
 * A transaction and the server run that it belongs to. Another server, for example a replica that took over, may use
 * its number again.
 */
export interface Mark {
  /** An xid8. */
  readonly xid: string;
  /** The start time of the server, in seconds since the epoch. */
  readonly server: string;
}

/** A mark before all transactions. */
export const FROM_THE_FIRST: Mark = { xid: '0', server: '0' };

export interface Numbered {
  /** The number of rows that were numbered. */
  readonly count: number;
  /** The highest sequence of all. */
  readonly last: number;
  /** All events up to this sequence are in the log. */
  readonly relayed: number;
  /** No row of an older transaction is without a number, unless `count` reached the limit. */
  readonly from: Mark;
}

/**
 * Returns the statement that must come before {@link numberRows} in a transaction. Only one transaction numbers at a
 * time. LOCK is not a query, so even a REPEATABLE READ transaction has no MVCC snapshot until it has the lock, and then
 * sees all rows that were numbered before.
 *
 * Ordinary writers never touch the locked table.
 */
export function lockForNumbering({ state }: PostgresNames): string {
  return `LOCK TABLE ${state} IN EXCLUSIVE MODE`;
}

/** The time limits of a transaction that numbers, in milliseconds. */
export interface NumberingPatience {
  /** The time limit for the lock. */
  readonly lockMs: number;
  /**
   * The time limit for the next statement of its own client, which may be frozen or cut off while all others wait for
   * the lock.
   */
  readonly idleMs: number;
}

/**
 * Returns the settings of a transaction that numbers. The log and snapshots use a number as soon as it is committed. So
 * the commit must be durable, and with it those of the writers that it saw, whatever the settings of the role.
 *
 * The server itself ends a transaction that waits too long, because no other process can take the lock from a frozen
 * one.
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
 * Returns SQL that gives the next numbers to all visible rows, in the order of their ids.
 *
 * Why this keeps the order of each row of the application: if two transactions change it, the second waits for the
 * first to commit. It adds its event afterwards, so the event has a higher id, and a reader that sees the second sees
 * the first. Between transactions that did not change the same row, any order is correct. New numbers are higher than
 * all earlier ones, whatever the ids. No query is limited to ids beyond the last numbered one, so a transaction that
 * took its id early and commits late is not missed.
 *
 * Why `from` loses nothing: below the `xmin` of an MVCC snapshot, all transactions have ended. Their rows were visible
 * in that snapshot, and so they were numbered, if all visible rows were numbered. It avoids scanning rows that are dead
 * but cannot be vacuumed while, for example, a backup holds an old MVCC snapshot.
 *
 * @param from rows of older transactions are not scanned
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

/**
 * Returns SQL that removes the rows after a sequence, `$3`, up to another, `$2`, and records that. It does nothing if
 * the lease `$1` is not held.
 */
export function removeRelayed({ numbered, state }: PostgresNames): string {
  return `WITH mine AS (
    UPDATE ${state} SET relayed = greatest(relayed, $2::bigint) WHERE holder = $1::uuid RETURNING one
  ), removed AS (
    DELETE FROM ${numbered} WHERE sequence > $3::bigint AND sequence <= $2::bigint AND EXISTS (SELECT FROM mine)
  )
  SELECT count(*)::text AS held FROM mine`;
}

const SERVER = 'extract(epoch FROM pg_postmaster_start_time())::text';

/** Returns the transaction of a mark in SQL; the first of all transactions if the mark belongs to another server. */
export function oldest({ xid, server }: Mark): string {
  // Both values become part of the SQL text.
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

/** The amount that the server can send to a process that does not read, because the network buffers hold it: 16 KiB. */
const SENT_AT_ONCE_BYTES = 16_384;

/**
 * Returns SQL that reads the numbered rows after a sequence, up to the byte limit, but at least one row of any size.
 */
export function selectBatch(names: PostgresNames, after: number, atMost: number): string {
  return selectNumbered(names, after, atMost, `through - octet_length(event) < ${BATCH_BYTES}`);
}

/**
 * Returns SQL that reads the first of these rows, or none if it is large. For a transaction that holds the lock: a
 * server that sends to a frozen process would not release the lock.
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
