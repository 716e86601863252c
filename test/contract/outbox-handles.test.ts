import { join } from 'node:path';
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import { createPostgresOutbox, createSqliteOutbox, sql as migration, type PostgresTransaction } from '@pregon/outbox';
import { drizzle as drizzleOnPg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleOnPostgres } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import Libsql from 'libsql';
import { createPool as createMysqlPool } from 'mysql2';
import { createPool as createMysqlPromisePool } from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { beforeAll, describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../support/cleanup.js';
import { FaultyLog } from '../support/outbox/faulty-log.js';
import { describeWithPostgres } from '../support/postgres.js';
import { runSql } from '../support/postgres-schema.js';
import { eventually } from '../support/waiting.js';

const EVENT = { exchange: 'my_events', topic: 'user.1', type: 'UserWasCreated', data: { id: 1 } };
const NOWHERE = 'postgres://postgres@127.0.0.1:1/none';

/** Handles of real libraries that no outbox in SQLite can use; none of them is connected. */
function foreignHandles() {
  const pool = new pg.Pool({ connectionString: NOWHERE });
  const sql = postgres(NOWHERE);
  const mysql = createMysqlPool({ host: '127.0.0.1', port: 1 });
  const mysqlPromise = createMysqlPromisePool({ host: '127.0.0.1', port: 1 });
  const knexOnPg = knex({ client: 'pg', connection: NOWHERE });
  const sequelize = new Sequelize(NOWHERE, { logging: false });
  afterTest(() => Promise.all([pool.end(), sql.end(), mysqlPromise.end(), knexOnPg.destroy(), sequelize.close()]));
  afterTest(() => new Promise((resolve) => mysql.end(resolve)));
  return { pool, sql, mysql, mysqlPromise, knex: knexOnPg, sequelize };
}

/** The calls of an asynchronous driver, which would fail after the call has returned. */
const asynchronous = { prepare: () => Promise.reject(new Error('too late')), exec: () => Promise.resolve() };

describe('[fault F1] Handles for an outbox in SQLite', () => {
  function application() {
    const db = new Libsql(join(temporaryFolder(), 'app.db'));
    afterTest(() => db.close());
    const outbox = createSqliteOutbox({ source: '/shop' });
    outbox.migrate(db);
    const rows = () => db.prepare('SELECT sequence FROM pregon_outbox').all().length;
    return { db, outbox, rows };
  }

  it('are refused at once by each method, with one sentence that says what to pass', () => {
    const { db, outbox, rows } = application();
    const { pool, sql, mysql, mysqlPromise, knex: onPg, sequelize } = foreignHandles();
    const kysely = new Kysely<object>({ dialect: new SqliteDialect({ database: Object(db) }) });
    const refused: [name: string, handle: unknown, message: RegExp][] = [
      ['kysely', kysely, /pass the inner connection, the database passed to new SqliteDialect/],
      ['knex', onPg, /pass the inner connection, await trx\.client\.acquireConnection\(\)/],
      ['sequelize', sequelize, /pass a connection of better-sqlite3/],
      ['drizzle on pg', drizzleOnPg(pool), /this Drizzle does not use a synchronous driver/],
      ['pg', pool, /use createPostgresOutbox/],
      ['postgres', sql, /use createPostgresOutbox/],
      ['mysql2', mysql, /this is mysql2/],
      ['mysql2/promise', mysqlPromise, /this is mysql2/],
      ['a driver with promises', asynchronous, /asynchronous: pass a synchronous connection/],
      ['prisma', { $queryRawUnsafe: () => {}, $transaction: () => {} }, /INSERT|write the row/],
      ['sqlite3', { prepare: () => {}, exec: () => {}, each: () => {} }, /asynchronous/],
      ['the event', EVENT, /the event is the second argument/],
      ...[undefined, null, 5, 'app.db', {}, () => {}].map((handle): [string, unknown, RegExp] => [
        String(handle),
        handle,
        /pass a synchronous connection to SQLite/,
      ]),
    ];
    for (const [name, handle, message] of refused) {
      const refusal = { name: 'TypeError', message: expect.stringMatching(message) };
      const call = (method: unknown, ...args: unknown[]) => {
        if (typeof method === 'function') Reflect.apply(method, outbox, args);
      };
      expect(() => call(outbox.add, handle, EVENT), name).toThrow(expect.objectContaining(refusal));
      if (handle === asynchronous) continue;
      expect(() => call(outbox.migrate, handle), name).toThrow(expect.objectContaining(refusal));
      expect(() => call(outbox.snapshot, handle, () => []), name).toThrow(expect.objectContaining(refusal));
      expect(() => call(outbox.stuck, handle), name).toThrow(expect.objectContaining(refusal));
      const options = { db: handle, log: new FaultyLog() };
      expect(() => call(outbox.relay, options), name).toThrow(expect.objectContaining(refusal));
    }
    expect(() => Reflect.apply(outbox.add, outbox, [EVENT, db])).toThrow(/the event is the second argument/);
    expect(rows()).toBe(0);
  });

  it('are accepted if they are the connection, or a Drizzle on it', () => {
    const { db, outbox, rows } = application();
    // Stands for a Drizzle on better-sqlite3. The real package imports better-sqlite3, which compiles for a minute.
    const drizzle = { session: { client: db }, dialect: {}, transaction: () => {} };
    db.exec('BEGIN');
    outbox.add(Object(drizzle), EVENT);
    db.exec('ROLLBACK');
    expect(rows()).toBe(0);
    outbox.add(Object(drizzle), EVENT);
    outbox.add(db, EVENT);
    expect(rows()).toBe(2);
  });
});

interface Orm {
  /** Runs `work` in a transaction, which is rolled back if it throws. */
  transaction(work: (tx: PostgresTransaction) => Promise<unknown>): Promise<unknown>;
  /** A handle without a transaction; `message` matches the error for it. */
  readonly outside: unknown;
  readonly message: RegExp;
  close(): Promise<unknown>;
}

const ORMS: Readonly<Record<string, (url: string) => Promise<Orm>>> = {
  async 'drizzle on pg'(url) {
    const pool = new pg.Pool({ connectionString: url });
    const db = drizzleOnPg(pool);
    return { transaction: (work) => db.transaction(work), outside: db, message: /is a pool/, close: () => pool.end() };
  },
  async 'drizzle on postgres'(url) {
    const sql = postgres(url);
    const db = drizzleOnPostgres(sql);
    return { transaction: (work) => db.transaction(work), outside: db, message: /is a pool/, close: () => sql.end() };
  },
  async knex(url) {
    const db = knex({ client: 'pg', connection: url });
    return {
      transaction: (work) => db.transaction(work),
      outside: db,
      message: /pass the trx/,
      close: () => db.destroy(),
    };
  },
  async sequelize(url) {
    const db = new Sequelize(url, { logging: false });
    const message = /pass the transaction that sequelize\.transaction/;
    return { transaction: (work) => db.transaction(work), outside: db, message, close: () => db.close() };
  },
  async 'mikro-orm'(url) {
    const properties = { id: { type: 'number', primary: true } } as const;
    const User = new EntitySchema({ name: 'User', tableName: 'users', properties });
    const orm = await MikroORM.init({ clientUrl: url, entities: [User], debug: false });
    return {
      transaction: (work) => orm.em.fork().transactional(work),
      outside: orm.em.fork(),
      message: /pass the em that em\.transactional/,
      close: () => orm.close(true),
    };
  },
};

await describeWithPostgres('[fault F1] [fault F2] Handles for an outbox in PostgreSQL', (url) => {
  const outbox = createPostgresOutbox({ source: '/shop' });
  const add = (tx: unknown) => Promise.resolve(Reflect.apply(outbox.add, outbox, [tx, EVENT]));
  const rows = async () => {
    const client = new pg.Client({ connectionString: url() });
    await client.connect();
    const { rowCount } = await client.query('SELECT FROM pregon_outbox');
    await client.end();
    return rowCount;
  };

  beforeAll(() => runSql(url(), migration('postgres')));

  it.each(Object.keys(ORMS))('of %s let add join their transaction, and are refused without one', async (name) => {
    const orm = await ORMS[name]?.(url());
    if (!orm) throw new TypeError(name);
    try {
      await runSql(url(), 'TRUNCATE pregon_outbox');
      const rolledBack = orm.transaction(async (tx) => {
        await add(tx);
        throw new Error('on purpose');
      });
      await expect(rolledBack).rejects.toThrow('on purpose');
      expect(await rows()).toBe(0);
      await orm.transaction(async (tx) => {
        await add(tx);
        await add(tx);
        expect(await rows()).toBe(0);
      });
      expect(await rows()).toBe(2);
      const refused = { name: 'TypeError', message: expect.stringMatching(orm.message) };
      await expect(add(orm.outside)).rejects.toMatchObject(refused);
      expect(await rows()).toBe(2);
    } finally {
      await orm.close();
    }
  });

  it('can be a drizzle(…) as the pool of a relay, on pg and on postgres', async () => {
    await runSql(url(), 'TRUNCATE pregon_outbox');
    const pool = new pg.Pool({ connectionString: url() });
    const sql = postgres(url());
    afterTest(() => Promise.all([pool.end(), sql.end({ timeout: 1 })]));
    for (const db of [drizzleOnPg(pool), drizzleOnPostgres(sql)]) {
      const log = new FaultyLog();
      const relay = outbox.relay({ db, log });
      relay.start();
      await db.transaction((tx) => outbox.add(tx, EVENT));
      await eventually(
        () => log.events.length,
        (count) => count === 1,
      );
      await relay.stop();
    }
  });

  it('are refused at once if they cannot be used, with one sentence that says what to pass', async () => {
    const { pool, mysql, mysqlPromise, knex: onPg, sequelize } = foreignHandles();
    const sqlite = new Libsql(':memory:');
    afterTest(() => sqlite.close());
    const kysely = new Kysely<object>({ dialect: new SqliteDialect({ database: Object(sqlite) }) });
    const mikro = await MikroORM.init({
      clientUrl: url(),
      entities: [],
      debug: false,
      discovery: { warnWhenNoEntities: false },
    });
    afterTest(() => mikro.close(true));
    const refused: [name: string, handle: unknown, ofAdd: RegExp, ofPool: RegExp][] = [
      ['mysql2', mysql, /this is mysql2/, /this is mysql2/],
      ['mysql2/promise', mysqlPromise, /this is mysql2/, /this is mysql2/],
      ['knex', onPg, /this is knex itself, a pool/, /pass a Pool of pg/],
      ['sequelize', sequelize, /pass the transaction/, /a Pool of pg/],
      ['mikro-orm', mikro, /pass the em/, /a Pool of pg/],
      ['its manager', mikro.em, /not in a transaction/, /pass a Pool of pg/],
      ['libsql', sqlite, /use createSqliteOutbox/, /use createSqliteOutbox/],
      ['kysely on SQLite', kysely, /is a pool/, /does not use PostgreSQL/],
      ['prisma', { $queryRawUnsafe: () => {}, $transaction: () => {} }, /Prisma/, /Prisma/],
      ['the event', EVENT, /second argument/, /second argument/],
      ['nothing', undefined, /not a connection/, /not a Pool/],
      ['a pool', pool, /is a pool, which is not in a transaction/, /none/],
    ];
    for (const [name, handle, ofAdd, ofPool] of refused) {
      await expect(add(handle), name).rejects.toMatchObject({
        name: 'TypeError',
        message: expect.stringMatching(ofAdd),
      });
      if (handle === pool) continue;
      const relay = () => Reflect.apply(outbox.relay, outbox, [{ db: handle, log: new FaultyLog() }]);
      expect(relay, name).toThrow(
        expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(ofPool) }),
      );
      const migrated = Promise.resolve(Reflect.apply(outbox.migrate, outbox, [handle]));
      await expect(migrated, name).rejects.toThrow(TypeError);
    }
  });

  it('of knex on another database are refused, and leave no rejection unhandled', async () => {
    const transaction = Object.assign(() => {}, {
      raw: () => {},
      isTransaction: true,
      client: { acquireConnection: async () => ({ query: () => {}, execute: () => {} }) },
    });
    await expect(add(transaction)).rejects.toThrow(/the connection of knex is not one of pg/);
    const invalid = Reflect.apply(outbox.add, outbox, [transaction, { ...EVENT, topic: '' }]);
    await expect(Promise.resolve(invalid)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
  });

  it('of kysely on PostgreSQL are accepted', async () => {
    const pool = new pg.Pool({ connectionString: url() });
    const db = new Kysely<object>({ dialect: new PostgresDialect({ pool }) });
    afterTest(() => db.destroy());
    await db.transaction().execute((tx) => outbox.add(tx, EVENT));
  });
});
