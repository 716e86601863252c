import { randomUUID } from 'node:crypto';
import type { RelayLogger } from '../../relay.js';
import type { Database } from '../database.js';
import type { PostgresNames } from '../schema.js';

/** What is sent when a lease is given back, so that those who stand by need not wait for their next look. */
export const FREE = 'free';

/**
 * The right to be the relay at work, one a table, for as long as it is renewed. All times are the database's, so that the clocks of
 * the applications do not matter.
 *
 * Order and completeness do not rest on it, see {@link OutboxRelay}: a holder that was frozen and wakes up late appends only what
 * others have appended before. It keeps the log from being written twice all the time, and it bounds how long after the first
 * a repetition may come.
 */
export class Lease {
  readonly #db: Database;
  readonly #names: PostgresNames;
  readonly #ms: number;
  readonly #listenerPid: () => number | undefined;
  readonly #logger: RelayLogger | undefined;
  /** Another one each time that the lease is taken: whoever comes back from a pause, or to a restored database, finds another. */
  #token: string | undefined;
  /** The last one that was held: in the database it may still be the holder's. */
  #former: string | undefined;
  /** One that was asked for without an answer: it may be the holder's in the database yet, or become so. */
  #unanswered: string | undefined;
  /** When it runs out unless renewed, on this process's own steady clock, and no later than on the database's. */
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

  /** The token, for the fence of {@link removeRelayed}; undefined where the lease is not held. */
  get token(): string | undefined {
    return this.isHeld ? this.#token : undefined;
  }

  /** Takes the lease where it is free, has run out, or its holder's connection has ended, as it does when a process is killed. */
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
    // Others are to see at once when this process ends.
    if (this.#listenerPid() !== pid) void this.renew();
    return true;
  }

  /** Holds it no longer, without a word to the database; it can be taken again at once, unless another has taken it. */
  drop(): void {
    clearInterval(this.#beat);
    this.#former = this.#token ?? this.#former;
    this.#token = undefined;
  }

  /** Gives the lease back, so that another may take it at once. */
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

  /** Done by itself all the time. Never rejects: where it is of no use, the lease runs out. */
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
      // Tried again at the next beat; the relay finds out when it reads.
      this.#logger?.warn({ err: error, table: this.#names.outbox }, 'the lease of the relay was not renewed');
    } finally {
      this.#renewing = false;
    }
  }

  /** The backend is noted only where the server knows it: a connection pooler between them has numbers of its own. */
  #term(pid: string, ms: string): string {
    return `listener = (SELECT a.pid FROM pg_stat_activity a WHERE a.pid = nullif(${pid}, '')::integer),
      expires_at = clock_timestamp() + ${ms}::double precision * interval '1 millisecond'`;
  }

  #termValues(): [string, string] {
    return [String(this.#listenerPid() ?? ''), String(this.#ms)];
  }
}
