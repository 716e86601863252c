import { createPostgresOutbox, type PostgresOutbox } from '@pregon/outbox';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeafLink } from '../../support/deaf-link.js';
import { POSTGRES_DRIVERS, type PostgresConnections } from '../../support/outbox/postgres-drivers.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

/** How long an answer may take, and a little. */
const ANSWER_MS = 500;
const SOON_MS = 30_000;

/** Connections that are neither ended nor answered, as behind a router that forgot them. */
await describeWithPostgres('a pool whose connections fall silent', (url) => {
  let link: DeafLink;
  let outbox: PostgresOutbox;
  let linked: string;
  const opened: PostgresConnections[] = [];

  beforeEach(async () => {
    const { hostname, port } = new URL(url());
    expect(['127.0.0.1', 'localhost']).toContain(hostname);
    link = await DeafLink.open(Number(port || 5432));
    const through = new URL(url());
    through.hostname = '127.0.0.1';
    through.port = String(link.port);
    linked = through.href;
    outbox = createPostgresOutbox({ source: '/silent', answerTimeoutMs: ANSWER_MS });
    const direct = new pg.Client({ connectionString: url() });
    await direct.connect();
    await outbox.migrate(direct);
    await direct.end();
  });

  afterEach(async () => {
    link.cut();
    await Promise.all(opened.splice(0).map((connections) => connections.close()));
    await link.close();
  });

  function open(driver: (typeof POSTGRES_DRIVERS)[number] | undefined, max?: number): PostgresConnections {
    if (driver === undefined) throw new TypeError('no such driver');
    const connections = driver.open(linked, max === undefined ? {} : { max });
    opened.push(connections);
    return connections;
  }

  const snapshotBy = (connections: PostgresConnections) => connections.snapshot(outbox, () => Promise.resolve([]));

  describe.each(POSTGRES_DRIVERS)('snapshots by $name', (driver) => {
    it('fail in time when a transaction gets no answer, and do not keep those behind them waiting', async () => {
      const connections = open(driver);
      await snapshotBy(connections);
      link.deafenAt(/isolation level repeatable read/i);
      const startedAt = performance.now();
      // Those in front may find a connection that is silent, those behind one that is new.
      const results = await Promise.allSettled(Array.from({ length: 4 }, () => snapshotBy(connections)));
      expect(results.some(({ status }) => status === 'rejected')).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(4 * (2 * ANSWER_MS + SOON_MS));
      expect(
        await eventually(
          () => settled(snapshotBy(connections)),
          (result) => result.status === 'fulfilled',
        ),
      ).toBeTruthy();
    });

    it('fail in time, and free those behind them, when their connections fall silent at the end of the reading', async () => {
      const connections = open(driver);
      const startedAt = performance.now();
      const failing = connections.snapshot(outbox, async () => {
        link.deafen();
        return [];
      });
      await expect(failing).rejects.toThrow(/no answer from PostgreSQL/);
      expect(performance.now() - startedAt).toBeLessThan(ANSWER_MS + SOON_MS);
    });
  });

  it.each(POSTGRES_DRIVERS)('$name lets go of a relay that is stopped', async (driver) => {
    const relay = outbox.relay({ db: open(driver).pool, log: { append: async () => {} }, onError: () => {} });
    relay.start();
    await eventually(
      () => relay.state,
      (state) => state === 'idle',
    );
    link.deafen();
    const startedAt = performance.now();
    await relay.stop();
    expect(performance.now() - startedAt).toBeLessThan(2 * ANSWER_MS + SOON_MS);
  });

  it('snapshots by pg leave no connection behind that is silent', async () => {
    const pool = new pg.Pool({ connectionString: linked, max: 10 });
    pool.on('error', () => {});
    const silent = await pool.connect();
    link.deafen();
    const other = await pool.connect();
    // The last one that comes back is the first one that is taken.
    silent.release();
    other.release();
    const read = () => outbox.snapshot(pool, async () => []);
    await expect(read()).rejects.toThrow(/no answer from PostgreSQL/);
    await eventually(
      () => pool.totalCount - pool.idleCount,
      (taken) => taken === 0,
      2_000,
    );
    expect(await read()).toMatchObject({ sequence: 0 });
    link.cut();
    await pool.end();
  });

  it('snapshots by pg say what the reading function threw, when the connection is silent after that', async () => {
    const connections = open(POSTGRES_DRIVERS[0]);
    const failing = connections.snapshot(outbox, async () => {
      link.deafen();
      throw new RangeError('my own');
    });
    await expect(failing).rejects.toThrow('my own');
  });

  it('snapshots by pg, from a pool too small for two connections, end with their connection, however long they read', async () => {
    const connections = open(POSTGRES_DRIVERS[0], 1);
    const failing = connections.snapshot(outbox, async () => {
      link.cut();
      return new Promise<never>(() => {});
    });
    await expect(failing).rejects.toThrow(/terminated|reset|closed/i);
    expect(await snapshotBy(connections)).toMatchObject({ sequence: 0 });
  });
});

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([promise]);
  return result;
}
