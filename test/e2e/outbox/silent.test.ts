import { createPostgresOutbox, type PostgresOutbox } from '@pregon/outbox';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeafLink } from '../../support/deaf-link.js';
import { POSTGRES_DRIVERS, type PostgresConnections } from '../../support/outbox/postgres-drivers.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

/** The answer timeout, and some time for a busy machine. */
const ANSWER_MS = 500;
const SOON_MS = 30_000;

/** Connections that are neither closed nor answered, as behind a router that has forgotten them. */
await describeWithPostgres('A pool whose connections fall silent', (url) => {
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

  describe.each(POSTGRES_DRIVERS)('A snapshot by $name', (driver) => {
    it('fails in time if a transaction gets no answer, and lets later snapshots proceed', async () => {
      const connections = open(driver);
      await snapshotBy(connections);
      link.deafenAt(/isolation level repeatable read/i);
      const startedAt = performance.now();
      // The first snapshots may get a silent connection, the later ones a new connection.
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

    it('fails in time, and frees the later ones, if its connection falls silent at the end of the read', async () => {
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

  it.each(POSTGRES_DRIVERS)('does not keep a relay by $name from stopping', async (driver) => {
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

  it('leaves no silent connection in the pool after a snapshot by pg', async () => {
    const pool = new pg.Pool({ connectionString: linked, max: 10 });
    pool.on('error', () => {});
    const silent = await pool.connect();
    link.deafen();
    const other = await pool.connect();
    // The connection that was released last is taken first.
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

  it('does not hide the error of the reading function in a snapshot by pg', async () => {
    const connections = open(POSTGRES_DRIVERS[0]);
    const failing = connections.snapshot(outbox, async () => {
      link.deafen();
      throw new RangeError('my own');
    });
    await expect(failing).rejects.toThrow('my own');
  });

  it('ends a snapshot by pg with its connection, however long it reads, if the pool is too small for two connections', async () => {
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
