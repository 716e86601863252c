import { join } from 'node:path';
import { createPostgresOutbox, createSqliteOutbox } from '@pregon/outbox';
import Libsql from 'libsql';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { describeWithPostgres } from '../../support/postgres.js';
import { createSchema } from '../../support/postgres-schema.js';
import { pregon } from '../../support/processes.js';

const EVENT = { exchange: 'my_events', topic: 'user.1.created', type: 'UserWasCreated', data: { id: '1' } };

async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await pregon(['outbox', 'sql', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('pregon outbox sql', () => {
  it('prints a migration for SQLite that can be run twice, and is all that an outbox needs', async () => {
    const text = await printed('sqlite', '--table=shop_outbox');
    const db = new Libsql(join(temporaryFolder(), 'app.db'));
    db.exec(text);
    db.exec(text);
    createSqliteOutbox({ source: '/shop', table: 'shop_outbox' }).add(db, EVENT);
    expect(db.prepare('SELECT count(*) AS count FROM shop_outbox').get()).toMatchObject({ count: 1 });
    db.close();
  });

  it.each([
    [['mysql'], 'pregon: DIALECT must be postgres or sqlite, not "mysql"\nUsage: pregon outbox sql'],
    [['postgres', '--table=a;b'], 'pregon: not a table name'],
    [[], 'pregon: DIALECT is missing'],
  ])('answers %j with a suggestion and exit code 2', async (args, start) => {
    const { code, stdout, stderr } = await pregon(['outbox', 'sql', ...args]);
    expect([code, stdout, stderr.slice(0, start.length)]).toEqual([2, '', start]);
  });
});

await describeWithPostgres('pregon outbox sql on PostgreSQL', (url) => {
  it('prints a migration that can be run twice, and is all that an outbox needs', async () => {
    const text = await printed('postgres');
    const client = new pg.Client({ connectionString: await createSchema(url()) });
    await client.connect();
    try {
      await client.query(text);
      await client.query(text);
      await client.query('BEGIN');
      await createPostgresOutbox({ source: '/shop' }).add(client, EVENT);
      await client.query('COMMIT');
      const { rows } = await client.query('SELECT event FROM pregon_outbox');
      expect(rows.map(({ event }) => JSON.parse(event))).toMatchObject([{ type: 'UserWasCreated' }]);
    } finally {
      await client.end();
    }
  });
});
