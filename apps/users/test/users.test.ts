import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { describeOnEachDatabase } from './support/databases.js';
import { startForTest } from './support/running-application.js';

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };

await describeOnEachDatabase('the HTTP interface for users', (create) => {
  it('[000-15] answers PUT with 201 and Location for a new user, with 200 for a changed one, and GET returns the user', async () => {
    const app = await startForTest(create);
    const created = await app.put('42', ADA);
    expect(created.status).toBe(201);
    expect(created.headers.get('Location')).toBe('/users/42');
    const user = await created.json();
    expect(user).toMatchObject({ id: '42', ...ADA });
    expect(user.updatedAt).toBe(user.createdAt);

    const changed = await app.put('42', { ...ADA, name: 'Ada King' });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('Location')).toBeNull();
    const now = await changed.json();
    expect(now).toMatchObject({ id: '42', name: 'Ada King', createdAt: user.createdAt });

    expect(await (await app.request('/users/42')).json()).toEqual(now);
    expect(await (await app.request('/users')).json()).toEqual([now]);
  });

  it('accepts the body of GET in PUT, and answers 200 without a change', async () => {
    const app = await startForTest(create);
    const user = await (await app.put('42', ADA)).json();
    const again = await app.put('42', user);
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual(user);
  });

  it('creates a user and never overwrites one by PUT with If-None-Match: *', async () => {
    const app = await startForTest(create);
    expect((await app.put('42', ADA, { 'If-None-Match': '*' })).status).toBe(201);
    const refused = await app.put('42', { ...ADA, name: 'Eve' }, { 'If-None-Match': '*' });
    expect(refused.status).toBe(412);
    expect(await refused.json()).toMatchObject({
      errors: [{ pointer: '#/id', detail: 'The Id 42 is taken. Choose another one.' }],
    });
    expect(await (await app.request('/users/42')).json()).toMatchObject(ADA);
  });

  it('lists users by the bytes of their ids, whatever the language of the database', async () => {
    const app = await startForTest(create);
    for (const id of ['b', 'a', 'B', '_', '10', '9', '-']) await app.put(id, ADA);
    const users: { id: string }[] = await (await app.request('/users')).json();
    expect(users.map(({ id }) => id)).toEqual(['-', '10', '9', 'B', '_', 'a', 'b']);
  });

  it('answers DELETE with 204 once, then with 404', async () => {
    const app = await startForTest(create);
    await app.put('42', ADA);
    const deleted = await app.request('/users/42', { method: 'DELETE' });
    expect(deleted.status).toBe(204);
    expect(await deleted.text()).toBe('');
    expect((await app.request('/users/42', { method: 'DELETE' })).status).toBe(404);
    expect((await app.request('/users/42')).status).toBe(404);
  });

  it.each([
    ['no name', '42', { email: ADA.email }, ['#/name']],
    ['a blank name', '42', { ...ADA, name: '  ' }, ['#/name']],
    ['a name that is too long', '42', { ...ADA, name: 'x'.repeat(101) }, ['#/name']],
    ['control characters', '42', { ...ADA, name: 'Ada\u0000' }, ['#/name']],
    ['a lone surrogate, which UTF-8 cannot encode', '42', { ...ADA, name: 'Ada\ud800' }, ['#/name']],
    ['no e-mail address', '42', { ...ADA, email: 'nowhere' }, ['#/email']],
    ['two mistakes', '42', { name: 1 }, ['#/name', '#/email']],
    ['an id that cannot be a word of a topic', 'a.b', ADA, ['#/id']],
    ['an id that is too long', 'x'.repeat(65), ADA, ['#/id']],
    ['another id in the body', '42', { ...ADA, id: '43' }, ['#/id']],
  ])('answers invalid input with a problem that points at each field: %s', async (_what, id, body, pointers) => {
    const app = await startForTest(create);
    const refused = await app.put(id, body);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('Content-Type')).toMatch('application/problem+json');
    const problem = await refused.json();
    expect(problem).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 });
    expect(problem.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
    expect(await (await app.request('/users')).json()).toEqual([]);
  });

  it.each([
    ['a body that is not JSON', '{"name":', 'application/json', 400],
    ['a body that is not an object', '[1]', 'application/json', 400],
    ['a body that is null', 'null', 'application/json', 400],
    ['a body of another type', 'name=Ada', 'text/plain', 400],
    ['a body in an unknown character set', '{}', 'application/json; charset=nonsense', 415],
    ['a body that is too large', JSON.stringify({ name: 'x'.repeat(100_000) }), 'application/json', 413],
  ])('answers unreadable input with a problem: %s', async (_what, body, type, status) => {
    const app = await startForTest(create);
    const refused = await app.request('/users/42', { method: 'PUT', headers: { 'Content-Type': type }, body });
    expect(refused.status).toBe(status);
    expect(refused.headers.get('Content-Type')).toMatch('application/problem+json');
    expect(await refused.json()).toMatchObject({ status });
    expect(app.errors).toEqual([]);
  });

  it.each([
    ['/users', 'DELETE', 'GET, HEAD, OPTIONS'],
    ['/users/42', 'POST', 'GET, PUT, DELETE, HEAD, OPTIONS'],
    ['/snapshots/users', 'PUT', 'GET, HEAD, OPTIONS'],
    ['/health', 'POST', 'GET, HEAD, OPTIONS'],
    ['/', 'POST', 'GET, HEAD, OPTIONS'],
  ])('on %s answers %s with 405, and says what is allowed', async (path, method, allow) => {
    const app = await startForTest(create);
    const refused = await app.request(path, { method });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('Allow')).toBe(allow);
    expect(await refused.json()).toMatchObject({ title: 'Method Not Allowed', status: 405 });
    const asked = await app.request(path, { method: 'OPTIONS' });
    expect([asked.status, asked.headers.get('Allow')]).toEqual([204, allow]);
    expect((await app.request(path, { method: 'HEAD' })).status).toBe(path === '/users/42' ? 404 : 200);
  });

  it('answers 404 to an unknown path, and 400 to a path that cannot be decoded', async () => {
    const app = await startForTest(create);
    const missing = await app.request('/nothing/here');
    expect([missing.status, await missing.json()]).toMatchObject([404, { status: 404, title: 'Not Found' }]);
    expect((await app.request('/users/%E0%A4%A')).status).toBe(400);
    // PostgreSQL cannot hold this text.
    for (const method of ['GET', 'DELETE']) expect((await app.request('/users/%00', { method })).status).toBe(404);
  });

  it('answers 500 without details to an internal failure, and logs it', async () => {
    const app = await startForTest(create);
    await app.database.sql('DROP TABLE users');
    const failed = await app.request('/users');
    expect(failed.status).toBe(500);
    expect(JSON.stringify(await failed.json())).not.toMatch(/table|relation|SQL/i);
    expect(String(app.errors[0])).toMatch(/no such table|relation "users" does not exist/);
  });

  it('finishes a request in progress before the application ends', async () => {
    const app = await startForTest(create);
    const body = JSON.stringify(ADA);
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    const head = `PUT /users/42 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
    let answer = '';
    // 100 Continue proves that the request has arrived; the body follows after the application was told to end.
    const answered = new Promise<void>((resolve, reject) => {
      socket.on('error', reject).on('close', () => resolve());
      socket.on('data', (data) => {
        answer += data.toString();
      });
    });
    const continued = new Promise<void>((resolve) => socket.once('data', () => resolve()));
    socket.write(head);
    await continued;
    const closed = app.close();
    socket.write(body);
    await Promise.all([answered, closed]);
    expect(answer).toMatch('HTTP/1.1 201 Created');
  });
});
