import { integerIn, textIn } from '../column.js';
import type { RefusedRow } from '../relay-source.js';
import {
  assertStuckChoice,
  assertStuckLimit,
  DEFAULT_STUCK_LIMIT,
  type StuckChoice,
  type StuckEvents,
  stuckEventOf,
} from '../stuck.js';
import type { PostgresNames } from './schema.js';
import type { Session } from './session.js';
import { sqlState } from './sql-state.js';

/**
 * Returns SQL that removes the rows after a sequence, `$3`, up to another, `$2`, and sets aside those that are in the
 * list `$4`. It does nothing if the lease `$1` is not held. In a recreated outbox, sequences occur again: a stuck event
 * keeps its number, and the next one with the same number gets one below 0.
 *
 * @see removeRelayed, the form without a list
 */
export function setAside({ numbered, state, stuck }: PostgresNames): string {
  return `WITH mine AS (
    UPDATE ${state} SET relayed = greatest(relayed, $2::bigint) WHERE holder = $1::uuid RETURNING one
  ), removed AS (
    DELETE FROM ${numbered} WHERE sequence > $3::bigint AND sequence <= $2::bigint AND EXISTS (SELECT FROM mine)
    RETURNING sequence, written_at, event
  ), kept AS (
    INSERT INTO ${stuck} (sequence, id, code, reason, written_at, event)
    SELECT CASE WHEN former.sequence IS NULL THEN removed.sequence
        ELSE (SELECT least(0, min(sequence)) FROM ${stuck}) - row_number() OVER (ORDER BY removed.sequence) END,
      refused.id, refused.code, refused.reason, removed.written_at, removed.event
    FROM removed JOIN json_to_recordset($4::text::json) AS refused (sequence bigint, id text, code text, reason text)
      ON refused.sequence = removed.sequence
    LEFT JOIN ${stuck} former ON former.sequence = removed.sequence
  )
  SELECT count(*)::text AS held FROM mine`;
}

/**
 * Makes the list `$4` of {@link setAside}. PostgreSQL texts cannot hold NUL or lone surrogates, so both are replaced.
 */
export function toRefusedList(rows: readonly RefusedRow[]): string {
  const wellFormed = (text: string | undefined) => text && Buffer.from(text.replaceAll('\0', '\ufffd')).toString();
  return JSON.stringify(rows.map((row) => ({ ...row, id: wellFormed(row.id), reason: wellFormed(row.reason) })));
}

/** Counts the consecutive rows that were set aside, from the given sequence downwards. */
export async function countStuckBelow(session: Session, { stuck }: PostgresNames, sequence: number): Promise<number> {
  const [row] = await session.query(
    `SELECT count(*)::text AS count FROM (
      SELECT sequence, row_number() OVER (ORDER BY sequence DESC) AS place FROM ${stuck} WHERE sequence <= $1::bigint
    ) ranked WHERE sequence + place = $1::bigint + 1`,
    [String(sequence)],
  );
  return integerIn(row, 'count');
}

/** Tells whether the table exists and may be read: a failing query would end the transaction that it is part of. */
export async function canReadStuck(session: Session, { stuck }: PostgresNames): Promise<boolean> {
  const [row] = await session.query(
    `SELECT coalesce(has_table_privilege(to_regclass('${stuck}'), 'SELECT'), false)::text AS may`,
  );
  return textIn(row, 'may') === 'true';
}

/**
 * @returns 0 also if the table is missing: an older migration does not create it; then it is missing until the first
 * row is set aside
 */
export async function countStuck(session: Session, { stuck }: PostgresNames): Promise<number> {
  return ifTableExists(async () => {
    const [row] = await session.query(`SELECT count(*)::text AS count FROM ${stuck}`);
    return integerIn(row, 'count');
  }, 0);
}

/** The stuck events of one outbox in PostgreSQL. */
export function postgresStuck(session: Session, names: PostgresNames): StuckEvents<Promise<number>> {
  const { outbox, stuck, channel } = names;
  const change = (which: StuckChoice, statement: (taken: string) => string): Promise<number> => {
    const [where, values] = condition(which);
    const taken = `WITH taken AS (DELETE FROM ${stuck} WHERE ${where} RETURNING sequence, event)`;
    return ifTableExists(async () => {
      const [row] = await session.query(statement(taken), values);
      return integerIn(row, 'count');
    }, 0);
  };
  return {
    async list(limit = DEFAULT_STUCK_LIMIT) {
      assertStuckLimit(limit);
      return ifTableExists(async () => {
        const rows = await session.query(
          `SELECT sequence::text AS sequence, id, code, reason, ${milliseconds('written_at')} AS written_at,
            ${milliseconds('stuck_at')} AS stuck_at, event FROM ${stuck} ORDER BY ${stuck}.sequence LIMIT $1::bigint`,
          [String(limit)],
        );
        return rows.map((row) => stuckEventOf(row, textIn(row, 'event')));
      }, []);
    },
    count: () => countStuck(session, names),
    retry: (which) =>
      change(
        which,
        // It does not use RETURNING, which would need the right to read the outbox.
        (taken) => `${taken}, back AS (
          INSERT INTO ${outbox} (event) SELECT event FROM taken ORDER BY sequence
        ), told AS (SELECT pg_notify('${channel}', '') FROM (SELECT FROM taken LIMIT 1) any_of_them)
        SELECT (SELECT count(*) FROM taken)::text AS count, (SELECT count(*) FROM told)::text AS told`,
      ),
    drop: (which) => change(which, (taken) => `${taken} SELECT count(*)::text AS count FROM taken`),
  };
}

/** Returns the nearest value that JavaScript can represent: other programs may write `infinity`, or a distant time. */
function milliseconds(column: string): string {
  const most = Number.MAX_SAFE_INTEGER;
  return `least(${most}, greatest(-${most}, round(extract(epoch FROM ${column}) * 1000)))::bigint::text`;
}

function condition(which: StuckChoice): [string, string[]] {
  assertStuckChoice(which);
  if (which === 'all') return ['true', []];
  return 'id' in which ? ['id = $1::text', [which.id]] : ['sequence = $1::bigint', [String(which.sequence)]];
}

async function ifTableExists<T>(read: () => Promise<T>, absent: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    // 42P01 undefined_table
    if (sqlState(error) !== '42P01') throw error;
    return absent;
  }
}
