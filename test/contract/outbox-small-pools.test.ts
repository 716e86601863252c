import { createPostgresOutbox, type PostgresPool, type PostgresRelayOptions } from '@pregon/outbox';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { afterTest } from '../support/cleanup.js';
import { FaultyLog } from '../support/outbox/faulty-log.js';
import { describeWithPostgres } from '../support/postgres.js';
import { eventually } from '../support/waiting.js';

const EVENT = { exchange: 'my_events', topic: 'user.1', type: 'UserWasCreated', data: { id: 1 } };

/** A pool with a maximum of connections, and the application that shares it. */
interface Shared {
  readonly pool: PostgresPool;
  /** Runs a query that holds one connection of the pool for `ms`. */
  hold(ms: number): Promise<unknown>;
}

const POOLS: Readonly<Record<string, (url: string, max: number) => Shared>> = {
  pg(url, max) {
    const pool = new pg.Pool({ connectionString: url, max });
    afterTest(() => pool.end());
    return { pool, hold: (ms) => pool.query('SELECT pg_sleep($1)', [ms / 1_000]) };
  },
  postgres(url, max) {
    const sql = postgres(url, { max });
    afterTest(() => sql.end({ timeout: 1 }));
    return { pool: sql, hold: (ms) => sql`SELECT pg_sleep(${ms / 1_000})`.then(() => {}) };
  },
  kysely(url, max) {
    const pool = new pg.Pool({ connectionString: url, max });
    const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) });
    afterTest(() => db.destroy());
    return { pool: db, hold: (ms) => pool.query('SELECT pg_sleep($1)', [ms / 1_000]) };
  },
};

await describeWithPostgres('[fault C10] A small pool that relay and application share', (url) => {
  let tables = 0;

  /** Starts a relay on the pool; `add` adds events over a separate connection. */
  async function relayOn(pool: PostgresPool, options: Partial<PostgresRelayOptions> = {}, answerTimeoutMs = 5_000) {
    const outbox = createPostgresOutbox({ source: '/shop', table: `small_${tables++}`, answerTimeoutMs });
    const client = new pg.Client({ connectionString: url() });
    await client.connect();
    afterTest(() => client.end());
    await outbox.migrate(client);
    const log = new FaultyLog();
    const errors: string[] = [];
    const relay = outbox.relay({ db: pool, log, onError: ({ message }) => errors.push(message), ...options });
    afterTest(() => relay.stop());
    relay.start();
    return { relay, log, errors, outbox, add: () => outbox.add(client, EVENT) };
  }

  it.each(Object.keys(POOLS))(
    'blocks neither the application nor the relay with a single connection (%s)',
    async (name) => {
      const shared = POOLS[name]?.(url(), 1);
      if (!shared) throw new TypeError(name);
      const { relay, log, add, outbox, errors } = await relayOn(shared.pool, {}, name === 'kysely' ? 1_500 : 5_000);
      for (let count = 1; count <= 3; count++) {
        await add();
        await eventually(
          () => log.events.length,
          (events) => events === count,
        );
        await shared.hold(20);
      }
      await eventually(
        () => relay.pending(),
        (pending) => pending === 0,
      );
      expect(errors).toEqual([]);
      const snapshot = Promise.resolve(Reflect.apply(outbox.snapshot, outbox, [shared.pool, async () => []]));
      // Kysely does not tell how many connections its pool has, and a snapshot takes two if it can.
      if (name === 'kysely')
        await expect(snapshot).rejects.toThrow(/all connections of the pool were in use.*raise max/);
      else expect(await snapshot).toMatchObject({ sequence: 3 });
      await add();
      await eventually(
        () => log.events.length,
        (events) => events === 4,
      );
    },
  );

  it.each(['pg', 'postgres'])(
    'is named in the error of the relay while the application holds the only connection (%s)',
    async (name) => {
      const shared = POOLS[name]?.(url(), 1);
      if (!shared) throw new TypeError(name);
      const { log, add, errors } = await relayOn(shared.pool, {}, 150);
      await add();
      await eventually(
        () => log.events.length,
        (events) => events === 1,
      );
      await shared.hold(1_000);
      await eventually(
        () => errors.length,
        (count) => count > 0,
      );
      expect(errors[0]).toMatch(/(all 1 connections|raise max).*(raise max|in use)/);
      await add();
      await eventually(
        () => log.events.length,
        (events) => events === 2,
      );
    },
  );

  it('of three connections keeps one free for queries beside three relays; a warning says that one relay polls', async () => {
    const pool = new pg.Pool({ connectionString: url(), max: 3 });
    afterTest(() => pool.end());
    const warnings: object[] = [];
    const logger = { info() {}, error() {}, warn: (details: object) => warnings.push(details) };
    const relays = await Promise.all([1, 2, 3].map(() => relayOn(pool, { logger })));
    for (const { add } of relays) await add();
    for (const { log } of relays)
      await eventually(
        () => log.events.length,
        (events) => events === 1,
      );
    expect((await pool.query('SELECT 1')).rowCount).toBe(1);
    expect(warnings).toEqual([expect.objectContaining({ max: 3, pollMs: 100 })]);
    // A relay that starts takes a place that has become free.
    await relays[0]?.relay.stop();
    await relays[2]?.relay.stop();
    relays[2]?.relay.start();
    await eventually(
      () => relays[2]?.relay.state,
      (state) => state === 'idle',
    );
    expect(warnings).toHaveLength(1);
  });
});
