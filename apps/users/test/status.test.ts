import { expect, it } from 'vitest';
import { eventually } from '../../../test/support/waiting.js';
import { describeOnEachDatabase } from './support/databases.js';
import { startForTest } from './support/running-application.js';

await describeOnEachDatabase('the status of the application', (create) => {
  it('counts the users, and the events in the log', async () => {
    const app = await startForTest(create);
    const status = async () => (await app.request('/status')).json();
    expect(await status()).toMatchObject({
      database: { users: 0 },
      log: { kind: 'SQLite', sequence: 0, pending: 0 },
      gatewayCommand: 'npm run gateway',
    });
    for (const id of ['1', '2']) await app.put(id, { name: 'Ada', email: 'ada@example.com' });
    await app.request('/users/1', { method: 'DELETE' });
    const now = await eventually(status, ({ log }) => log.sequence === 3);
    expect(now).toMatchObject({ database: { users: 1 }, log: { pending: 0 } });
    expect(now.log.source).toMatch(/^\/users/);
    expect(['SQLite', 'PostgreSQL']).toContain(now.database.kind);
    expect(JSON.stringify(now)).not.toContain('password');
  });

  it('answers 405 to other methods, and is never cached', async () => {
    const app = await startForTest(create);
    expect((await app.request('/status', { method: 'POST' })).status).toBe(405);
    expect((await app.request('/status')).headers.get('Cache-Control')).toBe('no-store');
  });
});
