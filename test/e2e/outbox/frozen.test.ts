import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ApplicationProcess, Applications } from '../../support/outbox/postgres-applications.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

const LEASE_MS = 2_000;

const ANSWER_TIMEOUT_MS = 2_000;

/**
 * What a busy machine may add. Without a time limit, the relay would wait for as long as the other process is frozen.
 */
const SOON_MS = 30_000;

const OTHERS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`;

/** A process is frozen while its transaction holds the lock for numbering events. */
await describeWithPostgres('An application that is frozen while it numbers events', (url) => {
  let apps: Applications;
  let other: pg.Client;

  beforeEach(async () => {
    apps = new Applications(url(), { leaseMs: LEASE_MS, answerTimeoutMs: ANSWER_TIMEOUT_MS, log: 'memory' });
    await apps.create();
    other = new pg.Client({ connectionString: url() });
    await other.connect();
  });

  afterEach(async () => {
    await apps.close();
    // The server notices killed processes only after a while, and until then goes on with their queries.
    await eventually(
      async () => (await other.query(OTHERS)).rows.length,
      (count) => count === 0,
    );
    await other.end();
  });

  async function add(count: number, bytes: number): Promise<void> {
    const event = `json_build_object('specversion', '1.0', 'id', 'e' || n, 'source', '/items', 'type', 'ItemWasChanged',
      'exchange', 'items', 'topic', 'item.1', 'data', repeat('x', ${bytes}))`;
    await other.query(`INSERT INTO pregon_outbox (event) SELECT ${event} FROM generate_series(1, ${count}) n`);
  }

  /** Whether a process numbers events and waits for the lock of the test. */
  async function isNumbering(): Promise<boolean> {
    const { rows } = await other.query(`SELECT FROM pg_locks held JOIN pg_locks waiting USING (pid)
      WHERE held.relation = 'pregon_outbox_state'::regclass AND held.mode = 'ExclusiveLock' AND held.granted
        AND NOT waiting.granted AND waiting.relation IS DISTINCT FROM held.relation`);
    return rows.length > 0;
  }

  /** Freezes an application while it waits, under the numbering lock, for an answer of the server. */
  async function freezeWhileNumbering(
    start: () => ApplicationProcess,
    lock = 'SELECT FROM pregon_outbox FOR UPDATE',
  ): Promise<ApplicationProcess> {
    await other.query(`BEGIN; ${lock}`);
    const application = start();
    await eventually(
      async () => {
        if (!(await isNumbering())) return false;
        application.child.kill('SIGSTOP');
        // A relay waits only briefly, so it may have given up in between.
        if (await isNumbering()) return true;
        application.child.kill('SIGCONT');
        return false;
      },
      (isFrozen) => isFrozen,
    );
    await other.query('ROLLBACK');
    return application;
  }

  /** Milliseconds until the relay of another process has relayed all events. */
  async function relayedMs(count: number): Promise<number> {
    const startedAt = performance.now();
    apps.start('relay');
    await eventually(
      async () => (await apps.loggedEvents()).length,
      (length) => length === count,
      60_000,
    );
    return performance.now() - startedAt;
  }

  it.each([
    { maxConnections: 10, ms: ANSWER_TIMEOUT_MS },
    { maxConnections: 1, ms: 3 * ANSWER_TIMEOUT_MS },
  ])(
    '[I-2] in a snapshot with $maxConnections connections delays the relay of another process by at most $ms ms, and goes on when it thaws',
    async ({ maxConnections, ms }) => {
      await add(3, 10);
      const frozen = await freezeWhileNumbering(() => apps.start('snapshot', { maxConnections }));
      expect(await relayedMs(3)).toBeLessThan(ms + LEASE_MS + SOON_MS);
      expect(frozen.snapshots).toEqual([]);
      frozen.child.kill('SIGCONT');
      await eventually(
        () => frozen.snapshots,
        (sequences) => sequences.at(-1) === 3,
      );
      expect(frozen.relayErrors).toEqual([]);
    },
  );

  it('[I-2] in a snapshot with one connection, while rows arrive, delays the relay of another process by at most three times the answer timeout', async () => {
    await add(3, 10);
    await other.query('INSERT INTO items SELECT n, 1 FROM generate_series(1, 1000) n');
    const frozen = await freezeWhileNumbering(
      () => apps.start('snapshot', { maxConnections: 1 }),
      'LOCK TABLE items IN ACCESS EXCLUSIVE MODE',
    );
    expect(await relayedMs(3)).toBeLessThan(3 * ANSWER_TIMEOUT_MS + LEASE_MS + SOON_MS);
    frozen.child.kill('SIGCONT');
    await eventually(
      () => frozen.snapshots,
      (sequences) => sequences.at(-1) === 3,
    );
  });

  it('[I-2] in its relay, while a batch arrives, delays the relay of another process by at most its lease', async () => {
    await add(5, 1_040_000);
    const frozen = await freezeWhileNumbering(() => apps.start('relay'));
    expect(await relayedMs(5)).toBeLessThan(LEASE_MS + SOON_MS);
    frozen.child.kill('SIGCONT');
    await eventually(
      () => frozen.state(),
      (state) => state === 'standby',
    );
    await eventually(
      () => apps.outboxIds(),
      (left) => left.length === 0,
    );
  });
});
