import { PregonError } from '@pregon/protocol';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnPostgres, type PostgresServer, startPostgres } from '../../../test/support/postgres.js';
import { eventually } from '../../../test/support/waiting.js';
import { createPostgres, type TestDatabase } from './support/databases.js';
import { EndingProxy } from './support/ending-proxy.js';
import { createPlace, startAt, type TestApplication } from './support/running-application.js';

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };

describeWithOwnPostgres('the application on a PostgreSQL that goes away and returns', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.remove());

  const newPlace = () => createPlace((folder) => createPostgres(server.url, folder));

  it('[I-5] answers requests with 503 and Retry-After while PostgreSQL is killed, continues when it is back, and loses nothing', async () => {
    const app = await startAt(await newPlace());
    expect((await app.put('1', ADA)).status).toBe(201);
    await server.kill();
    for (const path of ['/users', '/users/1', '/health', '/snapshots/users']) {
      const refused = await app.request(path);
      expect([path, refused.status, refused.headers.get('Retry-After')]).toEqual([path, 503, '2']);
      expect(refused.headers.get('Content-Type')).toMatch('application/problem+json');
    }
    expect((await app.put('2', ADA)).status).toBe(503);
    expect((await app.request('/users/1', { method: 'DELETE' })).status).toBe(503);
    expect(app.said.filter((line) => line.includes('does not answer'))).not.toEqual([]);
    await server.start();
    await eventually(
      () => app.put('3', ADA),
      ({ status }) => status === 201,
    );
    await eventually(
      () => app.said,
      (lines) => lines.some((line) => / answers, after [\d.]+ s\.$/.test(line)),
    );
    expect((await app.eventsInTheEnd()).map(({ topic }) => topic)).toEqual(['user.1.created', 'user.3.created']);
    expect(app.errors).toEqual([]);
  });

  it('[I-5] keeps each answered write with its event, and no row without one, if PostgreSQL is killed during writes', async () => {
    const app = await startAt(await newPlace());
    const answered: string[] = [];
    const writers = Array.from({ length: 6 }, (_, writer) => writeUntilRefused(app, `w${writer}`, answered));
    await eventually(
      () => answered.length,
      (count) => count >= 30,
    );
    await server.kill();
    await Promise.all(writers);
    await server.start();
    const users = await eventually(
      () => app.request('/users').then((response) => response.json()),
      (rows) => Array.isArray(rows),
    );
    const ids: string[] = users.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining(answered));
    const events = await app.eventsInTheEnd();
    expect(events.map(({ subject }) => subject).sort()).toEqual(ids.map((id) => `user/${id}`).sort());
  });

  it('survives connections that end as soon as they begin', async () => {
    const place = await newPlace();
    const proxy = await EndingProxy.before(place.database.settings.databaseUrl ?? '');
    const settings = { ...place.database.settings, databaseUrl: proxy.url };
    const app = await startAt({ ...place, database: { ...place.database, settings } });
    proxy.isEnding = true;
    // More requests than the pool has idle connections.
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => app.put(String(n), ADA)));
    expect(proxy.ended).toBeGreaterThan(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 503]));
    proxy.isEnding = false;
    await eventually(
      () => app.put('last', ADA),
      ({ status }) => status === 201,
    );
  });

  it('says at the start that it waits for PostgreSQL, and accepts requests when PostgreSQL is available', async () => {
    const place = await newPlace();
    await server.stop();
    const said: string[] = [];
    const starting = startAt(place, said);
    await eventually(
      () => said,
      ([line = '']) => /does not answer: .*ECONNREFUSED.* The application waits for it/.test(line),
    );
    await server.start();
    const app = await starting;
    expect((await app.put('1', ADA)).status).toBe(201);
    expect(said.join('\n')).toMatch(/ answers, after [\d.]+ s\./);
  });

  it('ends in time while PostgreSQL is away', async () => {
    const app = await startAt(await newPlace());
    await app.put('1', ADA);
    await server.kill();
    expect((await app.put('2', ADA)).status).toBe(503);
    const begun = performance.now();
    await app.close();
    expect(performance.now() - begun).toBeLessThan(20_000);
    await server.start();
  });

  it('[I-5] answers 503 to a request that waits too long for another transaction, and changes nothing', async () => {
    const app = await startAt(await newPlace());
    await app.put('1', ADA);
    const other = new pg.Client({ connectionString: app.database.settings.databaseUrl });
    await other.connect();
    await other.query("BEGIN; UPDATE users SET name = 'Locked' WHERE id = '1'");
    expect((await app.put('1', { ...ADA, name: 'Ada King' })).status).toBe(503);
    await other.query('ROLLBACK');
    await other.end();
    expect(await (await app.request('/users/1')).json()).toMatchObject(ADA);
    expect((await app.put('1', { ...ADA, name: 'Ada King' })).status).toBe(200);
    expect(await app.eventsInTheEnd()).toHaveLength(2);
  });

  it.each([
    ['a wrong password', { username: 'stranger', password: 'not-this-one' }, /password authentication failed/],
    ['no password', { username: 'stranger' }, /password/],
    ['an unknown user', { username: 'nobody' }, /nobody/],
    ['an unknown database', { pathname: '/nowhere' }, /database "nowhere" does not exist/],
    ['a user who may not create tables', { username: 'stranger', password: 'right' }, /permission denied/],
  ])('does not start with %s, and says so in a line without a password', async (_what, parts, reason) => {
    await requirePasswords(server.url);
    const databaseUrl = Object.assign(new URL(server.url), parts).href;
    const said: string[] = [];
    const failure = await startAt(await createPlace(async () => unusable(databaseUrl)), said).catch((error) => error);
    expect(failure).toBeInstanceOf(PregonError);
    expect(failure.message).toMatch(reason);
    expect(failure.message).toMatch(/^postgres:\/\/[^\n]* cannot be used: [^\n]* See DATABASE_URL\.$/);
    expect(failure.message).not.toMatch(/not-this-one|right/);
    expect(said).toEqual([]);
  });
});

/** From now on, only the superuser needs no password; `stranger` has a password, but no privileges. */
async function requirePasswords(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('SHOW hba_file');
  await client.query(`
    SET password_encryption = 'scram-sha-256';
    DROP ROLE IF EXISTS stranger;
    CREATE ROLE stranger LOGIN PASSWORD 'right';
    COPY (VALUES ('host all postgres 127.0.0.1/32 trust'), ('host all all 127.0.0.1/32 scram-sha-256')) TO '${rows[0].hba_file}';
    SELECT pg_reload_conf();
  `);
  await client.end();
  // The answer comes before the reload is complete.
  const stranger = Object.assign(new URL(url), { username: 'stranger' }).href;
  await eventually(
    () => connectError(stranger),
    (error) => /password/.test(error),
  );
}

async function connectError(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  try {
    await client.connect();
    return '';
  } catch (error) {
    return String(error);
  } finally {
    await client.end();
  }
}

function unusable(databaseUrl: string): TestDatabase {
  const nothing = () => {
    throw new TypeError('there is no database of this test');
  };
  return { settings: { databaseUrl, databaseFile: 'unused' }, sql: nothing, failing: nothing, mended: nothing };
}

async function writeUntilRefused(app: TestApplication, prefix: string, answered: string[]): Promise<void> {
  for (let n = 0; ; n++) {
    const { status } = await app.put(`${prefix}-${n}`, ADA);
    if (status === 503) return;
    expect(status).toBe(201);
    answered.push(`${prefix}-${n}`);
  }
}
