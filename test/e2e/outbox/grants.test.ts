import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createPostgresOutbox } from '@pregon/outbox';
import { PregonError } from '@pregon/protocol';
import pg from 'pg';
import { expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { FaultyLog } from '../../support/outbox/faulty-log.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { runSql } from '../../support/postgres-schema.js';
import { eventually } from '../../support/waiting.js';

const EVENT = { exchange: 'my_events', topic: 'user.1', type: 'UserWasCreated', data: { id: 1 } };
const ROLES = ['shop_owner', 'shop_writer', 'shop_relay', 'shop_operator'] as const;

/** The SQL statements for roles in docs/operations/running.md. */
function documentedGrants(): string[] {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/operations/running.md'), 'utf8');
  const section = page.slice(page.indexOf('## Roles and grants of an outbox'));
  return [...section.matchAll(/```sql\n(.*?)```/gs)].map(([, text = '']) => text);
}

await describeWithPostgres('[fault F2] The grants of docs/operations/running.md', (url) => {
  it('are exactly what each role needs for its work', async () => {
    // Roles belong to the whole server, not to one database.
    const suffix = randomBytes(4).toString('hex');
    const named = (text: string) => text.replace(/\bshop_(\w+)/g, `shop_$1_${suffix}`);
    const urlAs = (role: (typeof ROLES)[number]) => {
      const as = new URL(url());
      as.username = named(role);
      return as.href;
    };
    await runSql(url(), ROLES.map((role) => `CREATE ROLE ${named(role)} LOGIN`).join('; '));
    afterTest(async () => {
      for (const role of ROLES) await runSql(url(), `DROP OWNED BY ${named(role)} CASCADE; DROP ROLE ${named(role)}`);
    });
    const pools: pg.Pool[] = [];
    afterTest(() => Promise.all(pools.map((pool) => pool.end())));
    const poolAs = (role: (typeof ROLES)[number]) => {
      const pool = new pg.Pool({ connectionString: urlAs(role) });
      pools.push(pool);
      return pool;
    };

    const [ofOwner = '', ...others] = documentedGrants().map(named);
    expect(others).toHaveLength(3);
    await runSql(url(), 'REVOKE ALL ON SCHEMA public FROM PUBLIC');
    await runSql(url(), ofOwner);
    const outbox = createPostgresOutbox({ source: '/shop' });
    await outbox.migrate(poolAs('shop_owner'));
    await runSql(url(), others.join(''));

    const [writer, relaying, operator] = [poolAs('shop_writer'), poolAs('shop_relay'), poolAs('shop_operator')];
    const log = new FaultyLog();
    const errors: string[] = [];
    const relay = outbox.relay({ db: relaying, log, onError: ({ message }) => errors.push(message) });
    afterTest(() => relay.stop());
    const add = async (count: number, data: unknown = 'good') => {
      const client = await writer.connect();
      await client.query('BEGIN');
      for (let i = 0; i < count; i++) await outbox.add(client, { ...EVENT, data });
      await client.query('COMMIT');
      client.release();
    };
    await add(1);
    relay.start();
    await eventually(
      () => log.events.length,
      (events) => events === 1,
    );
    // Enough events to make the relay suspend notifications.
    await add(300);
    await eventually(
      () => log.events.length,
      (events) => events === 301,
    );
    expect(await outbox.snapshot(relaying, async () => [])).toMatchObject({ sequence: 301 });

    log.beforeAppend = (events) => {
      if (events.some(({ data }) => data === 'bad')) throw new PregonError('EVENT_TOO_LARGE', 'refused');
    };
    await add(1, 'bad');
    await eventually(
      () => relay.stuck(),
      (count) => count === 1,
    );
    log.beforeAppend = () => {};
    expect(await outbox.stuck(operator).list()).toHaveLength(1);
    expect(await outbox.stuck(operator).retry('all')).toBe(1);
    await eventually(
      () => log.events.length,
      (events) => events === 302,
    );
    // A row that is put back to where it was numbered.
    await eventually(
      () => relay.pending(),
      (pending) => pending === 0,
    );
    const event = JSON.stringify({ ...EVENT, specversion: '1.0', id: 'back', source: '/shop' });
    await runSql(url(), `INSERT INTO pregon_outbox_numbered VALUES (1, now(), '${event}')`);
    await eventually(
      () => log.events.length,
      (events) => events === 303,
    );
    const client = await writer.connect();
    await outbox.revoke(client, { iss: 'shop', sub: '42' });
    client.release();
    await eventually(
      () => log.events.at(-1)?.exchange,
      (exchange) => exchange === '$pregon',
    );
    const revoked = async () => (await relaying.query('SELECT FROM pregon_outbox_revoked')).rowCount;
    await eventually(revoked, (count) => count === 0);
    await relay.stop();
    expect(errors).toEqual([expect.stringContaining('was set aside')]);

    const denied: [pool: pg.Pool, text: string][] = [
      [writer, 'SELECT FROM pregon_outbox'],
      [writer, 'DELETE FROM pregon_outbox'],
      [writer, 'SELECT FROM pregon_outbox_stuck'],
      [writer, 'SELECT FROM pregon_outbox_revoked'],
      [writer, 'UPDATE pregon_outbox_state SET relayed = 0'],
      [writer, `SELECT setval('pregon_outbox_quiet', 5)`],
      [relaying, 'DELETE FROM pregon_outbox_stuck'],
      [relaying, 'DROP TABLE pregon_outbox'],
      [operator, 'SELECT FROM pregon_outbox_numbered'],
      [operator, 'CREATE TABLE mine (id integer)'],
    ];
    for (const [pool, text] of denied) await expect(pool.query(text), text).rejects.toMatchObject({ code: '42501' });
  });
});
