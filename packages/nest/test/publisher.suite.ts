import { join } from 'node:path';
import Database from 'libsql';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../../test/support/cleanup.js';
import { SocketIoClient } from '../../../test/support/gateway/socketio-client.js';
import { describeWithPostgres } from '../../../test/support/postgres.js';
import { createSchema } from '../../../test/support/postgres-schema.js';
import { type Apps, running } from './support/apps.js';
import { values } from './support/values.js';

const event = (name: string) => ({ exchange: 'shop', topic: 'product.saved', type: 'ProductWasSaved', data: { name } });

/** Tests of events in the transactions of the application, from its database to a stock client. */
export async function publisherSuite(apps: () => Apps): Promise<void> {
  describe('PregonPublisher on SQLite', () => {
    it('[I-5] [002-20] joins the transaction of a plain driver: after a rollback, no client gets the event', async () => {
      const db = database();
      const { publisher, url } = await running(apps(), { gateway: { outbox: { source: '/shop', db } } });
      const client = await SocketIoClient.open(`${url}/events`);
      const save = (name: string) =>
        db.transaction(() => {
          publisher.add(db, event(name));
          db.prepare('INSERT INTO products VALUES (?)').run(name);
        })();
      save('lamp');
      expect(() => save('lamp')).toThrow(/UNIQUE/);
      save('chair');
      expect(await values(client, 'ProductWasSaved', 2)).toMatchObject([
        { data: { name: 'lamp' } },
        { data: { name: 'chair' } },
      ]);
    });

    it('[I-5] joins a transaction of TypeORM on better-sqlite3', async () => {
      const db = new DataSource({
        type: 'better-sqlite3',
        driver: Database,
        database: join(temporaryFolder(), 'app.db'),
      });
      await db.initialize();
      afterTest(() => db.destroy());
      await db.query('CREATE TABLE products (name TEXT PRIMARY KEY)');
      const { publisher, url } = await running(apps(), { gateway: { outbox: { source: '/shop', db } } });
      await savedByTypeOrm(db, publisher, await SocketIoClient.open(`${url}/events`));
    });

    it('says what is wrong: no outbox, no transaction, or a transaction of another database', async () => {
      const { publisher } = await running(apps());
      expect(() => publisher.add(database(), event('x'))).toThrow(/no outbox/);
      const other = await running(apps(), { gateway: { outbox: { source: '/shop', db: database() } } });
      await expect(other.publisher.add(new pg.Client(), event('x'))).rejects.toThrow(
        /is in SQLite, but the transaction is not/,
      );
    });

    it('writes without relaying if another process runs the relay', async () => {
      const db = database();
      const { publisher } = await running(apps(), { gateway: { outbox: { source: '/shop', db, relay: false } } });
      expect(publisher.add(db, event('lamp'))).toMatchObject({ source: '/shop' });
      expect(db.prepare('SELECT count(*) AS count FROM pregon_outbox').all()).toEqual([{ count: 1 }]);
    });
  });

  await describeWithPostgres('PregonPublisher on PostgreSQL', (postgres) => {
    it('[I-5] [002-20] joins a transaction of TypeORM: after a rollback, no client gets the event', async () => {
      const db = new DataSource({ type: 'postgres', url: await createSchema(postgres()) });
      await db.initialize();
      afterTest(() => db.destroy());
      await db.query('CREATE TABLE products (name text PRIMARY KEY)');
      const { publisher, url } = await running(apps(), { gateway: { outbox: { source: '/shop', db } } });
      await savedByTypeOrm(db, publisher, await SocketIoClient.open(`${url}/events`));
    });

    it('[I-5] [002-20] joins a transaction of a client of pg', async () => {
      const pool = new pg.Pool({ connectionString: await createSchema(postgres()) });
      pool.on('error', () => {});
      afterTest(() => pool.end());
      const { publisher, url } = await running(apps(), { gateway: { outbox: { source: '/shop', db: pool } } });
      const client = await SocketIoClient.open(`${url}/events`);
      const connection = await pool.connect();
      for (const [name, end] of [
        ['lamp', 'COMMIT'],
        ['never', 'ROLLBACK'],
        ['chair', 'COMMIT'],
      ] as const) {
        await connection.query('BEGIN');
        await publisher.add(connection, event(name));
        await connection.query(end);
      }
      connection.release();
      expect(await values(client, 'ProductWasSaved', 2)).toMatchObject([
        { data: { name: 'lamp' } },
        { data: { name: 'chair' } },
      ]);
      expect(() => publisher.add(database(), event('x'))).toThrow(/is in PostgreSQL/);
    });
  });
}

type Publisher = InstanceType<Apps['PregonPublisher']>;

async function savedByTypeOrm(db: DataSource, publisher: Publisher, client: SocketIoClient): Promise<void> {
  const save = (name: string) =>
    db.transaction(async (manager) => {
      await publisher.add(manager, event(name));
      await manager.query(`INSERT INTO products VALUES ('${name}')`);
    });
  await save('lamp');
  await expect(save('lamp')).rejects.toThrow(/unique/i);
  await expect(publisher.add(db.manager, event('x'))).rejects.toThrow(/is not in one/);
  await save('chair');
  expect(await values(client, 'ProductWasSaved', 2)).toMatchObject([
    { data: { name: 'lamp' } },
    { data: { name: 'chair' } },
  ]);
}

function database(): Database.Database {
  const db = new Database(join(temporaryFolder(), 'app.db'));
  db.exec('CREATE TABLE products (name TEXT PRIMARY KEY)');
  afterTest(() => db.close());
  return db;
}
