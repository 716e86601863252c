import { expect, it } from 'vitest';
import { describeOnEachDatabase } from './support/databases.js';
import { startForTest, type TestApplication } from './support/running-application.js';

/** On PostgreSQL, the id of the database follows. */
const SOURCE = expect.stringMatching(/^\/users/);
const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };

await describeOnEachDatabase('the users application', (create) => {
  it('[000-10] emits an event with the whole user for each saved or deleted user', async () => {
    const app = await startForTest(create);
    const created = await (await app.put('42', ADA)).json();
    const updated = await (await app.put('42', { ...ADA, email: 'ada@example.org' })).json();
    await app.request('/users/42', { method: 'DELETE' });
    const common = { exchange: 'my_events', source: SOURCE, subject: 'user/42' };
    expect(await app.eventsInTheEnd()).toMatchObject([
      { ...common, type: 'UserWasCreated', topic: 'user.42.created', data: created },
      { ...common, type: 'UserWasUpdated', topic: 'user.42.updated', data: updated },
      { ...common, type: 'UserWasDeleted', topic: 'user.42.deleted', data: updated },
    ]);
  });

  it('emits no event for a request that changes nothing', async () => {
    const app = await startForTest(create);
    await app.put('42', ADA);
    await app.put('42', ADA);
    await app.put('42', { ...ADA, name: 'Eve' }, { 'If-None-Match': '*' });
    await app.put('43', { name: '' });
    await app.request('/users/99', { method: 'DELETE' });
    expect((await app.eventsInTheEnd()).map(({ type }) => type)).toEqual(['UserWasCreated']);
  });

  it.each([
    ['INSERT', (app: TestApplication) => app.put('2', ADA)],
    ['UPDATE', (app: TestApplication) => app.put('1', { ...ADA, name: 'Ada King' })],
    ['DELETE', (app: TestApplication) => app.request('/users/1', { method: 'DELETE' })],
  ] as const)('[I-5] emits no event if the row cannot be written: %s', async (operation, write) => {
    const app = await startForTest(create);
    await app.put('1', ADA);
    // AFTER: the statement fails after it has changed its row, so only the transaction can undo the change.
    await app.database.sql(app.database.failing('AFTER', operation, 'users'));
    expect((await write(app)).status).toBe(500);
    expect(await (await app.request('/users')).json()).toMatchObject([{ id: '1', ...ADA }]);
    expect((await app.eventsInTheEnd()).map(({ type }) => type)).toEqual(['UserWasCreated']);
  });

  it.each([
    ['create', (app: TestApplication) => app.put('2', ADA)],
    ['update', (app: TestApplication) => app.put('1', { ...ADA, name: 'Ada King' })],
    ['delete', (app: TestApplication) => app.request('/users/1', { method: 'DELETE' })],
  ])('[I-5] does not change the row if the event cannot be written: %s', async (_what, write) => {
    const app = await startForTest(create);
    await app.put('1', ADA);
    await app.database.sql(app.database.failing('BEFORE', 'INSERT', 'pregon_outbox'));
    expect((await write(app)).status).toBe(500);
    expect(await (await app.request('/users')).json()).toMatchObject([{ id: '1', ...ADA }]);
    await app.database.sql(app.database.mended('pregon_outbox'));
    expect((await app.put('3', ADA)).status).toBe(201);
    expect((await app.eventsInTheEnd()).map(({ topic }) => topic)).toEqual(['user.1.created', 'user.3.created']);
  });

  it('[I-6] serves a snapshot with the rows and the sequence that they represent', async () => {
    const app = await startForTest(create);
    expect(await (await app.request('/snapshots/users')).json()).toMatchObject({ rows: [], sequence: 0 });
    const one = await (await app.put('1', ADA)).json();
    await app.put('2', ADA);
    await app.request('/users/2', { method: 'DELETE' });
    const snapshot = await app.request('/snapshots/users');
    expect(await snapshot.json()).toMatchObject({ rows: [one], sequence: 3, source: SOURCE });
  });
});
