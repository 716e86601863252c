import { createPostgresOutbox, type PostgresRelay } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithOwnPostgres, type PostgresServer, startPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

describeWithOwnPostgres('An outbox on a server that recovers after one of its processes was killed', () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let relay: PostgresRelay;

  beforeEach(async () => {
    server = await startPostgres();
    // Asynchronous writes stay out of the log on disk for a while, as they do for 200 ms on any server.
    await onServer((client) => client.query("ALTER SYSTEM SET wal_writer_delay = '10s'"));
    await onServer((client) => client.query("ALTER SYSTEM SET autovacuum = 'off'"));
    await server.stop();
    await server.start();
    pool = new pg.Pool({ connectionString: server.url });
    pool.on('error', () => {});
  });

  afterEach(async () => {
    await relay?.stop();
    await pool?.end();
    await server?.remove();
  });

  it('[I-5] [I-2] relays the events of transactions whose numbers had been used before the crash', async () => {
    const outbox = createPostgresOutbox({ source: '/crash' });
    await outbox.migrate(pool);
    const logged: string[] = [];
    const log = {
      append: async (events: readonly PregonEvent[]) => void logged.push(...events.map(({ type }) => type)),
    };
    // The lease is long, because renewing it is a commit, after which no number is used again. The relay only looks
    // when it is woken; otherwise it would notice its lost connections and start again.
    relay = outbox.relay({ db: pool, log, leaseMs: 600_000, pollIntervalMs: 60_000, onError: () => {} });
    const emit = (type: string) =>
      onServer((client) => outbox.add(client, { exchange: 'e', topic: 't', type, data: {} }));

    relay.start();
    await emit('Before');
    await eventually(
      async () => [logged.length, await relay.pending()],
      ([emitted, pending]) => emitted === 1 && pending === 0,
    );
    await eventually(lastLookMs, (ms) => ms > 300);
    const highest = await burnTransactionNumbers(500);
    relay.wake();
    await eventually(lastLookMs, (ms) => ms < 300);
    await killOneProcess();
    // Right after the crash, because a relay that looks earlier finds out by itself.
    await eventually(
      () =>
        emit('After').then(
          () => true,
          () => false,
        ),
      (written) => written,
    );
    relay.wake();
    const next = await transactionNumber();
    // Otherwise the kill came too late to prove anything.
    expect(next).toBeLessThan(highest);
    await eventually(
      () => logged,
      (types) => types.length === 2,
    );
    expect(logged).toEqual(['Before', 'After']);
  });

  async function onServer<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => {});
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  /**
   * Uses up numbers with transactions that leave nothing behind.
   * @returns the last number
   */
  function burnTransactionNumbers(count: number): Promise<number> {
    return onServer(async (client) => {
      for (let i = 0; i < count; i++) await client.query('BEGIN; SELECT pg_current_xact_id(); ROLLBACK');
      return transactionNumber();
    });
  }

  /** The number that the next transaction will get. */
  function transactionNumber(): Promise<number> {
    return onServer(async (client) => {
      const { rows } = await client.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
      return Number(rows[0]?.next);
    });
  }

  /** Milliseconds since the relay last looked at the outbox. */
  function lastLookMs(): Promise<number> {
    return onServer(async (client) => {
      const { rows } = await client.query(
        `SELECT round(1000 * min(extract(epoch FROM clock_timestamp() - query_start)))::text AS ms
            FROM pg_stat_activity WHERE query ~ 'LOCK[ ]TABLE' AND state = 'idle'`,
      );
      return Number(rows[0]?.ms ?? Number.NaN);
    });
  }

  /**
   * Kills a server process, as the system does when memory is short. The server then ends all its processes and
   * recovers.
   */
  function killOneProcess(): Promise<unknown> {
    return onServer(async (client) => {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
      process.kill(Number(rows[0]?.pid), 'SIGKILL');
      await gone;
    });
  }
});
