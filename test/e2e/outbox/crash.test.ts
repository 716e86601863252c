import { createPostgresOutbox, type PostgresRelay } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithOwnPostgres, type PostgresServer, startPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

describeWithOwnPostgres(
  'a server of which one process is killed, and which recovers without being started anew',
  () => {
    let server: PostgresServer;
    let pool: pg.Pool;
    let relay: PostgresRelay;

    beforeEach(async () => {
      server = await startPostgres();
      // So that what nobody waits for stays out of the log on disk for a while, as it does for 200 ms on any server.
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

    it('[I-5] [I-2] emits what is committed by transactions that are given numbers which were given before', async () => {
      const outbox = createPostgresOutbox({ source: '/crash' });
      await outbox.migrate(pool);
      const logged: string[] = [];
      const log = {
        append: async (events: readonly PregonEvent[]) => void logged.push(...events.map(({ type }) => type)),
      };
      // Its lease is long, as renewing it would be a commit, after which no number is given again; and it looks when it is woken
      // only, else it would notice that its connections are gone, and begin anew.
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
      // At once: where the relay looks before, it finds out by itself.
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
      // Else the kill came too late to prove anything.
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

    /** Of transactions that leave nothing behind. @returns the last */
    function burnTransactionNumbers(count: number): Promise<number> {
      return onServer(async (client) => {
        for (let i = 0; i < count; i++) await client.query('BEGIN; SELECT pg_current_xact_id(); ROLLBACK');
        return transactionNumber();
      });
    }

    /** The number that the next transaction will be given. */
    function transactionNumber(): Promise<number> {
      return onServer(async (client) => {
        const { rows } = await client.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
        return Number(rows[0]?.next);
      });
    }

    /** How long ago the relay looked at the outbox. */
    function lastLookMs(): Promise<number> {
      return onServer(async (client) => {
        const { rows } = await client.query(
          `SELECT round(1000 * min(extract(epoch FROM clock_timestamp() - query_start)))::text AS ms
            FROM pg_stat_activity WHERE query ~ 'LOCK[ ]TABLE' AND state = 'idle'`,
        );
        return Number(rows[0]?.ms ?? Number.NaN);
      });
    }

    /** As the system does where memory is short. The server ends all its processes and recovers. */
    function killOneProcess(): Promise<unknown> {
      return onServer(async (client) => {
        const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
        const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
        process.kill(Number(rows[0]?.pid), 'SIGKILL');
        await gone;
      });
    }
  },
);
