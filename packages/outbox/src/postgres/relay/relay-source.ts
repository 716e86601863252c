import { messageOf } from '@pregon/protocol';
import { toBatch } from '../../batch.js';
import { integerIn } from '../../column.js';
import type { RelayLogger } from '../../relay.js';
import { NotNow, type OutboxBatch, type RefusedRow, type RelaySource } from '../../relay-source.js';
import type { RevocationSource } from '../../revocations/revocation-source.js';
import type { Database, Listener } from '../database.js';
import { PostgresRevocations } from '../revocations.js';
import { type PostgresNames, postgresStuckSchema } from '../schema.js';
import { isRefusal, sqlState } from '../sql-state.js';
import { countStuck, setAside, toRefusedList } from '../stuck.js';
import { FREE, Lease } from './lease.js';
import {
  FROM_THE_FIRST,
  lockForNumbering,
  type Mark,
  NUMBERED_AT_ONCE,
  type NumberingPatience,
  numberRows,
  readNumbered,
  removeRelayed,
  selectBatch,
  selectSmallBatch,
  settingsForNumbering,
} from './numbering.js';
import { Pace, QUIET_MS } from './pace.js';
import { PutBackRows } from './put-back-rows.js';

/** The maximum interval in which a standby relay checks whether it must take over. */
const LONGEST_STANDBY_MS = 500;
/** A snapshot may hold the lock. */
const LOCK_MS = 1_000;

export interface PostgresRelaySourceOptions {
  /** The polling interval if the relay cannot listen, in milliseconds. */
  readonly pollAloneMs: number;
  readonly leaseMs: number;
  readonly answerTimeoutMs: number;
  readonly logger?: RelayLogger | undefined;
}

/** An outbox in PostgreSQL, as a relay drains it. */
export class PostgresRelaySource implements RelaySource<Promise<number>> {
  readonly name: string;
  readonly revocations: RevocationSource;
  readonly #db: Database;
  readonly #names: PostgresNames;
  readonly #lease: Lease;
  readonly #leaseMs: number;
  readonly #pollAloneMs: number;
  readonly #patience: NumberingPatience;
  readonly #logger: RelayLogger | undefined;
  readonly #pace = new Pace();
  readonly #putBack: PutBackRows;
  #listener: Listener | undefined;
  #releasing: Promise<void> | undefined;
  /** Whether the last batch was read under the current lease. */
  #begun = false;
  #relayed = 0;
  /** The highest known sequence. */
  #last = 0;
  /** See {@link numberRows}. */
  #from: Mark = FROM_THE_FIRST;

  constructor(db: Database, names: PostgresNames, options: PostgresRelaySourceOptions) {
    const { leaseMs, answerTimeoutMs, pollAloneMs, logger } = options;
    this.name = names.outbox;
    this.#db = db;
    this.#names = names;
    this.#leaseMs = leaseMs;
    this.#pollAloneMs = pollAloneMs;
    this.#patience = { lockMs: LOCK_MS, idleMs: answerTimeoutMs };
    this.#logger = logger;
    this.#putBack = new PutBackRows(db, names);
    this.revocations = new PostgresRevocations(db, names, () => this.#lease.isHeld);
    this.#lease = new Lease(db, names, { ms: leaseMs, logger, listenerPid: () => this.#listener?.pid });
  }

  start(wake: () => void): void {
    this.#listen(wake);
    if (this.#listener !== undefined || this.#db.listen === undefined) return;
    const max = this.#db.maxConnections;
    this.#logger?.warn(
      { table: this.name, max, pollMs: this.#pollAloneMs },
      'the pool has no connection to spare for LISTEN, so the relay polls: raise max of the pool by one for each relay',
    );
  }

  #listen(wake: () => void): void {
    this.#listener = this.#db.listen?.(this.#names.channel, {
      heard: (payload) => {
        // Standby relays are not woken by each event.
        if (this.#lease.isHeld || payload === FREE) wake();
      },
      listening: () => {
        // Lets other processes detect the end of this one at once.
        void this.#lease.renew();
        wake();
      },
      failed: (error) => this.#logger?.warn({ err: error, table: this.name }, 'a connection to PostgreSQL was lost'),
    });
  }

  async read(after: number, maxCount: number): Promise<OutboxBatch> {
    await this.#releasing;
    if (!this.#lease.isHeld) {
      if (!(await this.#answering(() => this.#lease.take()))) {
        return { events: [], through: 0, standby: true, restMs: Math.min(LONGEST_STANDBY_MS, this.#leaseMs / 10) };
      }
      this.#begun = false;
      this.#last = 0;
      this.#from = FROM_THE_FIRST;
      this.#putBack.begin(performance.now());
      this.#pace.begin(performance.now());
    }
    const { token } = this.#lease;
    const batch = await this.#answering(() => this.#next(this.#begun ? after : 0, maxCount));
    // If this process was frozen while it waited for the answer, other relays have taken over in the meantime.
    if (token === undefined || this.#lease.token !== token) throw new NotNow('the lease expired during the query');
    if (this.#begun) return batch;
    this.#begun = true;
    return { ...batch, anew: 'this relay is now the active one' };
  }

  async #next(after: number, maxCount: number): Promise<OutboxBatch> {
    if (await this.#putBack.look(this.#from, performance.now())) this.#from = FROM_THE_FIRST;
    if (after < this.#last) {
      const batch = await this.#numbered(after, maxCount);
      if (batch.events.length > 0) return batch;
    }
    const first = toBatch(await this.#number(after, maxCount), after);
    const isAll = Math.max(first.through, this.#relayed) >= this.#last;
    const batch = isAll ? first : await this.#numbered(after, maxCount);
    const restMs = this.#pace.restMs(performance.now()) ?? (this.#listener ? undefined : this.#pollAloneMs);
    return { ...batch, ...(restMs === undefined ? {} : { restMs }) };
  }

  async #numbered(after: number, maxCount: number): Promise<OutboxBatch> {
    return toBatch(await this.#db.query(selectBatch(this.#names, after, maxCount)), after);
  }

  /** Numbers the waiting rows and returns a small batch. */
  async #number(after: number, maxCount: number): Promise<readonly unknown[]> {
    const [numbered = [], batch = []] = await this.#db.script(
      [
        'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
        ...settingsForNumbering(this.#patience),
        lockForNumbering(this.#names),
      ],
      [numberRows(this.#names, this.#from, NUMBERED_AT_ONCE), selectSmallBatch(this.#names, after, maxCount)],
    );
    const { count, last, relayed, from } = readNumbered(numbered);
    if (last < after) {
      this.#lease.drop();
      throw new NotNow('the table was restored or recreated');
    }
    this.#last = last;
    this.#relayed = relayed;
    // Advance the mark only if this transaction wrote: then its commit, and that of all lower numbers, is on disk.
    // After a crash, the server reuses the numbers of transactions that left nothing on disk.
    if (count > 0 && count < NUMBERED_AT_ONCE) this.#from = from;
    if (this.#pace.note(count, performance.now())) await this.#keepWritersQuiet();
    return batch;
  }

  async #keepWritersQuiet(): Promise<void> {
    await this.#db.query(
      `SELECT setval('${this.#names.quiet}', (extract(epoch FROM clock_timestamp()) * 1000)::bigint + ${QUIET_MS})`,
    );
  }

  async remove(through: number, refused: readonly RefusedRow[]): Promise<void> {
    const token = this.#lease.token;
    if (token === undefined) throw new NotNow('the lease has expired');
    const values = [token, String(through), String(this.#relayed)];
    const [row] = await this.#answering(() =>
      refused.length === 0
        ? this.#db.query(removeRelayed(this.#names), values)
        : this.#setAside([...values, toRefusedList(refused)]),
    );
    if (integerIn(row, 'held') === 0) {
      this.#lease.drop();
      throw new NotNow('another relay has taken the lease');
    }
    this.#relayed = through;
  }

  async #setAside(values: readonly string[]): Promise<readonly unknown[]> {
    try {
      return await this.#db.query(setAside(this.#names), values);
    } catch (error) {
      // 42P01 undefined_table: the table comes from an older migration.
      if (sqlState(error) !== '42P01') throw error;
      await this.#db.script(['SET LOCAL client_min_messages = warning'], [postgresStuckSchema(this.name)]);
      return this.#db.query(setAside(this.#names), values);
    }
  }

  stepAside(): void {
    this.#releasing = this.#lease.release().then(
      () => {},
      (error: unknown) => {
        // The lease then expires by itself.
        this.#logger?.warn({ err: error, table: this.name }, 'the lease of the relay was not released');
      },
    );
  }

  async stop(): Promise<void> {
    await this.#releasing;
    try {
      await this.#lease.release();
    } finally {
      await this.#listener?.stop();
      this.#listener = undefined;
    }
  }

  async count(after: number): Promise<number> {
    const { outbox, numbered, state } = this.#names;
    // Also counts rows before the mark, so rows that were put back are counted before they are found.
    const [row] = await this.#db.query(
      `SELECT ((SELECT count(*) FROM ${outbox}) + (SELECT count(*) FROM ${numbered}
        WHERE sequence > $1::bigint OR sequence <= (SELECT relayed FROM ${state})))::text AS count`,
      [String(after)],
    );
    return integerIn(row, 'count');
  }

  countStuck(): Promise<number> {
    return countStuck(this.#db, this.#names);
  }

  async lagMs(after: number): Promise<number> {
    const { outbox, numbered, state } = this.#names;
    const [row] = await this.#db.query(
      `SELECT round(1000 * greatest(0, extract(epoch FROM clock_timestamp() - least(
        (SELECT min(written_at) FROM ${outbox} WHERE isfinite(written_at)),
        (SELECT min(written_at) FROM ${numbered}
          WHERE isfinite(written_at) AND (sequence > $1::bigint OR sequence <= (SELECT relayed FROM ${state})))
      ))))::bigint::text AS lag`,
      [String(after)],
    );
    return integerIn(row, 'lag');
  }

  /** Translates errors of PostgreSQL to what they mean for the outbox. */
  async #answering<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      // If the server did not answer, the connection is gone. The next one may lead to another server, for example a
      // replica that took over.
      if (!isRefusal(error)) this.#lease.drop();
      // 55P03 lock_not_available, 40001 serialization_failure, 40P01 deadlock_detected.
      const state = sqlState(error) ?? '';
      if (['55P03', '40001', '40P01'].includes(state)) throw new NotNow('the outbox is in use', { cause: error });
      // 42501 insufficient_privilege: for example to create the table of stuck events after an older migration.
      if (state === '42501') {
        const what = messageOf(error);
        throw new Error(`${what}: call migrate(db) as the owner of ${this.name}, and grant the relay what it needs`, {
          cause: error,
        });
      }
      // 42P01 undefined_table
      if (state !== '42P01') throw error;
      throw new Error(`there is no table ${this.name}: call migrate(db) first`, { cause: error });
    }
  }
}
