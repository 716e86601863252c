import { createPostgresOutbox } from '@pregon/outbox';
import { DataSource, EntitySchema } from 'typeorm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FaultyLog } from '../support/outbox/faulty-log.js';
import { describeWithPostgres } from '../support/postgres.js';
import { createSchema } from '../support/postgres-schema.js';

const PRODUCT = new EntitySchema<{ name: string }>({
  name: 'Product',
  tableName: 'products',
  columns: { name: { type: 'text', primary: true } },
});

await describeWithPostgres('An outbox on PostgreSQL by TypeORM', (database) => {
  const outbox = createPostgresOutbox({ source: '/shop' });
  let db: DataSource;
  let log: FaultyLog;
  let relay: ReturnType<typeof outbox.relay>;

  const event = (data: string) => ({ exchange: 'shop', topic: 'product.saved', type: 'ProductWasSaved', data });
  const arrived = () => log.events.map(({ data }) => data);

  beforeEach(async () => {
    db = new DataSource({ type: 'postgres', url: await createSchema(database()), entities: [PRODUCT] });
    await db.initialize();
    await outbox.migrate(db);
    await db.query('CREATE TABLE products (name text PRIMARY KEY)');
    log = new FaultyLog();
    relay = outbox.relay({ db, log });
    relay.start();
  });

  afterEach(async () => {
    await relay.stop();
    await db.destroy();
  });

  it('[I-5] [002-20] joins the transaction of an EntityManager: after a rollback no event is relayed', async () => {
    const save = (name: string) =>
      db.transaction(async (manager) => {
        await manager.query('INSERT INTO products VALUES ($1)', [name]);
        await outbox.add(manager, event(name));
      });
    await save('one');
    await expect(save('one')).rejects.toThrow(/duplicate key/);
    const failed = db.transaction(async (manager) => {
      await outbox.add(manager, event('never'));
      throw new RangeError('after the event');
    });
    await expect(failed).rejects.toThrow('after the event');
    await save('two');
    await vi.waitFor(() => expect(arrived()).toEqual(['one', 'two']), 60_000);
  });

  it('[I-5] joins the transaction of a QueryRunner, and its savepoints', async () => {
    const runner = db.createQueryRunner();
    await runner.startTransaction();
    await outbox.add(runner, event('outer'));
    await runner.startTransaction();
    await outbox.add(runner, event('inner'));
    await runner.rollbackTransaction();
    await outbox.add(runner.manager, event('outer again'));
    await runner.commitTransaction();
    await runner.release();
    await vi.waitFor(() => expect(arrived()).toEqual(['outer', 'outer again']), 60_000);
  });

  it('[I-5] joins the transaction of a Repository, and refuses a Repository outside it', async () => {
    const outside = db.getRepository(PRODUCT);
    const save = (fails: boolean) =>
      db.transaction(async (manager) => {
        const products = manager.getRepository(PRODUCT);
        await products.insert({ name: `fails: ${fails}` });
        await outbox.add(products, event(`fails: ${fails}`));
        await expect(outbox.add(outside, event('x'))).rejects.toThrow(/is not in one/);
        if (fails) throw new RangeError('after the event');
      });
    await expect(save(true)).rejects.toThrow('after the event');
    await save(false);
    await vi.waitFor(() => expect(arrived()).toEqual(['fails: false']), 60_000);
    expect(await outside.find()).toEqual([{ name: 'fails: false' }]);
  });

  it('[I-5] throws if no transaction is open', async () => {
    const runner = db.createQueryRunner();
    const none = [db.manager, runner, runner.manager];
    for (const handle of none) await expect(outbox.add(handle, event('x'))).rejects.toThrow(/is not in one/);
    await expect(outbox.add(Object(db), event('x'))).rejects.toThrow(/is a pool, which is not in a transaction/);
    await runner.release();
    expect(await db.query('SELECT event FROM pregon_outbox')).toEqual([]);
  });

  it('[I-6] takes a snapshot through a client of the DataSource', async () => {
    await db.transaction(async (manager) => {
      await manager.query(`INSERT INTO products VALUES ('one')`);
      await outbox.add(manager, event('one'));
    });
    const snapshot = await outbox.snapshot(db, async (client) => (await client.query('SELECT * FROM products')).rows);
    expect(snapshot).toMatchObject({ rows: [{ name: 'one' }], sequence: 1, source: '/shop' });
  });

  it('says what is wrong with a DataSource that was not initialized', async () => {
    const early = new DataSource({ type: 'postgres', url: database() });
    await expect(outbox.migrate(early)).rejects.toThrow(/initialize the DataSource first/);
    expect(() => outbox.relay({ db: early, log })).toThrow(/initialize the DataSource first/);
  });
});
