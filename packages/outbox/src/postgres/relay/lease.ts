import { randomUUID } from 'node:crypto';
import type { RelayLogger } from '../../relay.js';
import type { Database } from '../database.js';
import type { PostgresNames } from '../schema.js';

/** The notification sent when a lease is released, so that standby relays need not wait for their next poll. */
export const FREE = 'free';

/**
 * The right to be the active relay of a table, for as long as it is renewed. All times are the database's, so the
 * clocks of the applications do not matter.
 *
 * Order and completeness do not depend on it, see {@link OutboxRelay}: a holder that was frozen and resumes late
 * appends only events that others have already appended. The lease avoids writing the log twice all the time, and it
 * limits how long after the first append a repetition can come.
 */
export class Lease {
  readonly #db: Database;
  readonly #names: PostgresNames;
  readonly #ms: number;
  readonly #listenerPid: () => number | undefined;
  readonly #logger: RelayLogger | undefined;
  /**
   * A new value each time the lease is taken. A process that resumes after a pause, or a restored database, has another
   * value.
   */
  #token: string | undefined;
  /** The token that was held last: in the database it may still be the holder's. */
  #former: string | undefined;
  /** A requested token without an answer: in the database it may already be the holder's, or become so. */
  #unanswered: string | undefined;
  /** The expiry unless the lease is renewed, on this process's monotonic clock, and no later than in the database. */
  #validUntil = 0;
  #beat: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(
    db: Database,
    names: PostgresNames,
    options: {
      readonly ms: number;
      readonly listenerPid: () => number | undefined;
      readonly logger?: RelayLogger | undefined;
    },
  ) {
    this.#db = db;
    this.#names = names;
    this.#ms = options.ms;
    this.#listenerPid = options.listenerPid;
    this.#logger = options.logger;
  }

  get isHeld(): boolean {
    return this.#token !== undefined && performance.now() < this.#validUntil;
  }

  /** The token, for the fencing of {@link removeRelayed}; undefined if the lease is not held. */
  get token(): string | undefined {
    return this.isHeld ? this.#token : undefined;
  }

  /**
   * Takes the lease if it is free or has expired, or if the connection of its holder has ended, as happens when a
   * process is killed.
   */
  async take(): Promise<boolean> {
    this.drop();
    const token = this.#unanswered ?? randomUUID();
    this.#unanswered = token;
    const askedAt = performance.now();
    const pid = this.#listenerPid();
    const rows = await this.#db.query(
      `UPDATE ${this.#names.state} s SET holder = $1::uuid, ${this.#term('$2', '$3')}
      WHERE holder IS NULL OR expires_at <= clock_timestamp() OR holder IN ($1::uuid, $4::uuid)
        OR (listener IS NOT NULL AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = s.listener))
      RETURNING holder::text AS holder`,
      [token, ...this.#termValues(), this.#former ?? token],
    );
    this.#unanswered = undefined;
    if (rows.length === 0) return false;
    this.#token = token;
    this.#validUntil = askedAt + this.#ms;
    this.#beat = setInterval(() => void this.renew(), this.#ms / 3);
    // Lets other processes detect the end of this one at once.
    if (this.#listenerPid() !== pid) void this.renew();
    return true;
  }

  /**
   * Gives up the lease without telling the database. It can be taken again at once, unless another relay has taken it.
   */
  drop(): void {
    clearInterval(this.#beat);
    this.#former = this.#token ?? this.#former;
    this.#token = undefined;
  }

  /** Releases the lease, so that another relay can take it at once. */
  async release(): Promise<void> {
    this.drop();
    const former = this.#former;
    if (former === undefined) return;
    this.#former = undefined;
    await this.#db.query(
      `WITH freed AS (
        UPDATE ${this.#names.state} SET holder = NULL, listener = NULL, expires_at = NULL WHERE holder = $1::uuid RETURNING one
      ) SELECT pg_notify('${this.#names.channel}', '${FREE}') FROM freed`,
      [former],
    );
  }

  /** Runs on a timer. Never rejects: if it has no effect, the lease expires. */
  async renew(): Promise<void> {
    const token = this.#token;
    if (token === undefined || this.#renewing) return;
    this.#renewing = true;
    const askedAt = performance.now();
    try {
      const rows = await this.#db.query(
        `UPDATE ${this.#names.state} SET ${this.#term('$2', '$3')} WHERE holder = $1::uuid RETURNING one`,
        [token, ...this.#termValues()],
      );
      if (this.#token !== token) return;
      if (rows.length === 0) this.drop();
      else this.#validUntil = askedAt + this.#ms;
    } catch (error) {
      // The next beat retries it; if it fails, the relay notices on its next read.
      this.#logger?.warn({ err: error, table: this.#names.outbox }, 'the lease of the relay was not renewed');
    } finally {
      this.#renewing = false;
    }
  }

  /** The backend is recorded only if the server knows it: a connection pooler in between has its own numbers. */
  #term(pid: string, ms: string): string {
    return `listener = (SELECT a.pid FROM pg_stat_activity a WHERE a.pid = nullif(${pid}, '')::integer),
      expires_at = clock_timestamp() + ${ms}::double precision * interval '1 millisecond'`;
  }

  #termValues(): [string, string] {
    return [String(this.#listenerPid() ?? ''), String(this.#ms)];
  }
}
