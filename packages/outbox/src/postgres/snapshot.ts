import { textIn } from '../column.js';
import { pause } from '../deadline.js';
import { assertRows, type OutboxSnapshot } from '../snapshot.js';
import type { Database } from './database.js';
import { answerWithin } from './no-answer.js';
import {
  FROM_THE_FIRST,
  lockForNumbering,
  NUMBERED_AT_ONCE,
  type Numbered,
  type NumberingPatience,
  numberRows,
  readNumbered,
  settingsForNumbering,
} from './relay/numbering.js';
import type { PostgresNames } from './schema.js';
import type { Session } from './session.js';
import { sqlState } from './sql-state.js';
import { canReadStuck, countStuckBelow } from './stuck.js';

const ATTEMPTS = 5;

export type ReadRows<Row> = (tx: unknown) => readonly Row[] | Promise<readonly Row[]>;

export interface SnapshotOptions {
  readonly names: PostgresNames;
  readonly source: string;
  readonly answerTimeoutMs: number;
}

/**
 * Reads rows and numbers in one MVCC snapshot. All rows visible in it are numbered. Rows that are not visible in it
 * have no number yet, because no other transaction numbers at the same time. So the rows hold exactly the changes of
 * the events up to the last number.
 */
export class SnapshotTaker {
  readonly #db: Database;
  readonly #names: PostgresNames;
  readonly #source: string;
  /** Two connections leave one for a listening relay and one for the application. */
  readonly #mayTakeTwo: boolean;
  /** The time limit for numbering once the lock is held. */
  readonly #numberingMs: number;
  readonly #patience: NumberingPatience;
  /** The time limits if `read` runs within the numbering transaction; then pauses between its queries count as well. */
  readonly #patienceWhileReading: NumberingPatience;
  #turn: Promise<void> = Promise.resolve();
  /** Whether the table of stuck events exists; once true, it is not checked again. */
  #hasStuck = false;

  constructor(db: Database, { names, source, answerTimeoutMs }: SnapshotOptions) {
    this.#db = db;
    this.#names = names;
    this.#source = source;
    this.#numberingMs = answerTimeoutMs;
    this.#patience = { lockMs: 2 * answerTimeoutMs, idleMs: answerTimeoutMs };
    this.#patienceWhileReading = { lockMs: 6 * answerTimeoutMs, idleMs: 3 * answerTimeoutMs };
    this.#mayTakeTwo = (db.maxConnections ?? Number.POSITIVE_INFINITY) >= 4;
  }

  async take<Row>(read: ReadRows<Row>): Promise<OutboxSnapshot<Row>> {
    for (let attempt = 1; ; attempt++) {
      let isReading = false;
      const reading: ReadRows<Row> = (tx) => {
        isReading = true;
        return read(tx);
      };
      try {
        return await (this.#mayTakeTwo ? this.#onTwoConnections(reading) : this.#onOneConnection(reading));
      } catch (error) {
        if (!isPassing(error, isReading) || attempt === ATTEMPTS) throw error;
        await pause(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  /**
   * One connection numbers and shares its MVCC snapshot with another one that reads, so that a long read blocks nobody.
   */
  async #onTwoConnections<Row>(read: ReadRows<Row>): Promise<OutboxSnapshot<Row>> {
    // Snapshots take turns until they are numbered: otherwise each of many could hold one connection of the pool and
    // wait for its second.
    const { before, endTurn } = this.#queue();
    await before;
    try {
      await this.#shortenBacklog();
      return await this.#db.transaction({ access: 'read only', queryMs: this.#numberingMs }, async (reader, tx) => {
        const numbered = await this.#numberFor(reader);
        endTurn();
        const last = await this.#lastForLog(reader, numbered.last);
        return this.#result(await read(tx), { ...numbered, last });
      });
    } finally {
      endTurn();
    }
  }

  async #numberFor(reader: Session): Promise<Numbered> {
    let isGivenUp = false;
    const queryMs = this.#patience.lockMs + this.#numberingMs;
    const numbering = this.#db.transaction({ access: 'read write', queryMs }, async (session) => {
      const numbered = await this.#number(session, this.#patience);
      const [row] = await session.query('SELECT pg_export_snapshot() AS name');
      if (isGivenUp) throw new Error('the snapshot was given up');
      await reader.query(`SET TRANSACTION SNAPSHOT '${assertSnapshotName(textIn(row, 'name'))}'`);
      return numbered;
    });
    try {
      return await answerWithin(queryMs, numbering);
    } finally {
      // When a late answer arrives, the reader's connection may already belong to another user.
      isGivenUp = true;
    }
  }

  async #onOneConnection<Row>(read: ReadRows<Row>): Promise<OutboxSnapshot<Row>> {
    // Snapshots take turns: otherwise several would wait for the lock at the server and get it one after another even
    // if this process is frozen. The wait has a limit, because nothing may report that the connection of a reading
    // snapshot is gone.
    const { before, endTurn } = this.#queue();
    await answerWithin(this.#patienceWhileReading.lockMs, before).catch(() => {});
    try {
      await this.#shortenBacklog();
      return await this.#numberAndRead(read);
    } finally {
      endTurn();
    }
  }

  /** @returns `before`, which resolves when the previous snapshot has ended its turn */
  #queue(): { readonly before: Promise<void>; readonly endTurn: () => void } {
    const before = this.#turn;
    let endTurn: () => void = () => {};
    this.#turn = new Promise((resolve) => (endTurn = resolve));
    return { before, endTurn };
  }

  #numberAndRead<Row>(read: ReadRows<Row>): Promise<OutboxSnapshot<Row>> {
    const queryMs = this.#patienceWhileReading.lockMs + this.#numberingMs;
    return this.#db.transaction({ access: 'read write', queryMs }, async (session, tx) => {
      // This limits sending rows to a frozen process, which the server does not count as idle. There is no such timeout
      // for a Unix socket.
      await session.query(`SET LOCAL tcp_user_timeout = ${this.#patienceWhileReading.idleMs}`);
      const numbered = await this.#number(session, this.#patienceWhileReading);
      await session.query('SET TRANSACTION READ ONLY');
      const last = await this.#lastForLog(session, numbered.last);
      const rows = await read(tx);
      // If a query of `read` failed and `read` ignored it, COMMIT would roll back without an error, and discard the
      // numbers. This query then fails.
      await session.query('SELECT 1');
      return this.#result(rows, { ...numbered, last });
    });
  }

  async #number(session: Session, patience: NumberingPatience): Promise<Numbered> {
    for (const setting of settingsForNumbering(patience)) await session.query(setting);
    await session.query(lockForNumbering(this.#names));
    return readNumbered(await session.query(numberRows(this.#names, FROM_THE_FIRST)));
  }

  /** The log never gets events that were set aside, so the last sequence before them corresponds to the same rows. */
  async #lastForLog(session: Session, last: number): Promise<number> {
    this.#hasStuck ||= await canReadStuck(session, this.#names);
    return this.#hasStuck ? last - (await countStuckBelow(session, this.#names, last)) : last;
  }

  /** Without an active relay, many rows may wait for a number. Numbering them in steps keeps each lock short. */
  async #shortenBacklog(): Promise<void> {
    const setup = [
      'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
      ...settingsForNumbering(this.#patience),
      lockForNumbering(this.#names),
    ];
    for (;;) {
      const [row] = await this.#db.query(
        `SELECT count(*)::text AS count FROM (SELECT FROM ${this.#names.outbox} LIMIT ${NUMBERED_AT_ONCE}) first`,
      );
      if (Number(textIn(row, 'count')) < NUMBERED_AT_ONCE) return;
      await this.#db.script(setup, [numberRows(this.#names, FROM_THE_FIRST, NUMBERED_AT_ONCE), 'SELECT 1']);
    }
  }

  #result<Row>(rows: readonly Row[], { last, relayed }: Numbered): OutboxSnapshot<Row> {
    assertRows(rows);
    return { rows, sequence: last, source: this.#source, relayed };
  }
}

/** Tells whether a retry may succeed. */
function isPassing(error: unknown, isReading: boolean): boolean {
  const state = sqlState(error) ?? '';
  // 25P03 idle_in_transaction_session_timeout: this process was frozen and has resumed, unless it was `read` that took
  // too long.
  if (state === '25P03') return !isReading;
  // 40001 serialization_failure, 40P01 deadlock_detected: PostgreSQL asks for a retry.
  return ['40001', '40P01'].includes(state);
}

/** The name becomes part of the SQL text. */
function assertSnapshotName(name: string): string {
  if (!/^[0-9A-F-]+$/i.test(name)) throw new TypeError(`not the name of an MVCC snapshot: ${name}`);
  return name;
}
