import { createPostgresOutbox, type PostgresOutbox } from '@pregon/outbox';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FaultyLog } from '../../support/outbox/faulty-log.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { eventually } from '../../support/waiting.js';

await describeWithPostgres('The tables of an outbox on PostgreSQL', (url) => {
  let table = 0;
  let outbox: PostgresOutbox;
  let log: FaultyLog;
  let own: pg.Client;

  beforeEach(async () => {
    outbox = createPostgresOutbox({ source: '/items', table: `bloat_${table++}` });
    log = new FaultyLog();
    own = new pg.Client({ connectionString: url() });
    await own.connect();
    await outbox.migrate(own);
  });

  afterEach(() => own.end());

  /** Runs `work` beside an active relay in its own process, and closes all connections afterwards. */
  async function whileRelayed(work: (pool: pg.Pool) => Promise<void>): Promise<void> {
    const pool = new pg.Pool({ connectionString: url() });
    const relay = outbox.relay({ db: pool, log });
    relay.start();
    try {
      await work(pool);
      await eventually(
        () => relay.pending(),
        (count) => count === 0,
      );
    } finally {
      await relay.stop();
      await pool.end();
    }
  }

  /** Adds events in transactions of 100. */
  async function write(pool: pg.Pool, count: number): Promise<void> {
    const client = await pool.connect();
    for (let i = 0; i < count; i++) {
      if (i % 100 === 0) await client.query('BEGIN');
      await outbox.add(client, { exchange: 'items', topic: 'item.1', type: 'ItemWasChanged', data: 'x'.repeat(200) });
      if (i % 100 === 99) await client.query('COMMIT');
    }
    client.release();
  }

  async function numberOf(query: string): Promise<number> {
    const { rows } = await own.query(query);
    return Number(rows[0].n);
  }

  const written = () => numberOf(`SELECT count(*) AS n FROM ${outbox.table}`);
  const numbered = () => numberOf(`SELECT count(*) AS n FROM ${outbox.table}_numbered`);

  it('are empty when all is relayed, and do not grow if they are vacuumed', async () => {
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) {
      await whileRelayed((pool) => write(pool, 3_000));
      expect([await written(), await numbered()]).toEqual([0, 0]);
      sizes.push(
        await numberOf(
          `SELECT sum(pg_total_relation_size(oid)) AS n FROM pg_class WHERE relname LIKE '${outbox.table}%' AND relkind = 'r'`,
        ),
      );
      // Autovacuum does the same once a minute.
      for (const suffix of ['', '_numbered', '_state']) await own.query(`VACUUM ${outbox.table}${suffix}`);
    }
    const [first = 0, , last = 0] = sizes;
    expect(last).toBeLessThan(first * 1.5);
  });

  it('are not searched through for dead rows that cannot be vacuumed while a backup holds an old MVCC snapshot', async () => {
    const backup = new pg.Client({ connectionString: url() });
    await backup.connect();
    await backup.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await backup.query('SELECT 1');
    await whileRelayed((pool) => write(pool, 5_000));
    // Rows read by index, dead ones included, and by sequential scan.
    const entriesRead = `SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE '${outbox.table}%')
      + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE '${outbox.table}%') AS n`;
    const before = await numberOf(entriesRead);
    await whileRelayed(async (pool) => {
      for (let i = 0; i < 50; i++) {
        const client = await pool.connect();
        await outbox.add(client, { exchange: 'items', topic: 'item.1', type: 'ItemWasChanged' });
        client.release();
        await eventually(
          () => log.events.length,
          (count) => count === 5_000 + i + 1,
        );
      }
    });
    await own.query('SELECT pg_stat_clear_snapshot()');
    // A relay that has just started reads all dead rows once or twice; one that did so for each event would read 250,000.
    expect((await numberOf(entriesRead)) - before).toBeLessThan(50_000);
    await backup.end();
  });
});
