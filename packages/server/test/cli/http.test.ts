import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { createEvent, PregonError, type PregonEvent } from '@pregon/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessLimits } from '../../src/access/limits/access-limits.js';
import { healthRoutes } from '../../src/admin/health/health-routes.js';
import { HttpPort, type HttpPortOptions } from '../../src/admin/http-port.js';
import { type PublishOptions, publishRoute } from '../../src/admin/publish/publish-route.js';
import { DEFAULT_LIMITS } from '../../src/gateway/validate.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';
import { FakeClock } from '../core/support/fake-clock.js';

const silent = { info() {}, warn() {}, error() {}, debug() {} };
const authorization = 'Bearer secret';

let port: HttpPort | undefined;
let appended: PregonEvent[];
let notReady: string | undefined;

beforeEach(() => {
  appended = [];
  notReady = undefined;
});

afterEach(() => port?.close());

type Options = Partial<PublishOptions & Pick<HttpPortOptions, 'handshakeTimeoutMs' | 'logger'>>;

async function open({ handshakeTimeoutMs, logger = silent, ...options }: Options = {}): Promise<string> {
  const publish = publishRoute({
    token: 'secret',
    exchanges: ['my_events'],
    append: (event) => {
      appended.push(event);
      return Promise.resolve(`position-${appended.length}`);
    },
    ...options,
  });
  const routes = [...healthRoutes(() => notReady), publish];
  port = await HttpPort.open({ port: 0, routes, handshakeTimeoutMs, logger });
  return `http://127.0.0.1:${port.address.port}`;
}

function post(base: string, body: unknown, init: { headers?: Record<string, string>; path?: string } = {}) {
  return fetch(`${base}${init.path ?? '/publish/my_events/user.42.created'}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe('the HTTP port', () => {
  it('answers GET /health, and binds a loopback address by default', async () => {
    const base = await open();
    expect((await fetch(`${base}/health`)).status).toBe(200);
    expect(port?.address.host).toBe('127.0.0.1');
  });

  it('answers GET /ready with 200, or with the reason', async () => {
    const base = await open();
    expect((await fetch(`${base}/ready`)).status).toBe(200);
    notReady = 'the log cannot be read';
    const response = await fetch(`${base}/ready`);
    expect(response.status).toBe(503);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      title: 'Service Unavailable',
      status: 503,
      detail: 'the log cannot be read',
    });
  });

  it('causes one clear error if the port is in use', async () => {
    await open();
    const taken = port?.address.port ?? 0;
    const again = HttpPort.open({ port: taken, routes: [], logger: silent });
    await expect(again).rejects.toThrow(`cannot listen on 127.0.0.1:${taken} (http): the port is in use`);
  });
});

describe('publishing over HTTP', () => {
  it('answers 201 with id and position once the event is safe', async () => {
    const base = await open();
    const response = await post(base, { type: 'UserWasCreated', data: { id: '42' }, subject: 'user/42' });
    expect(response.status).toBe(201);
    const { id, position } = await response.json();
    expect(position).toBe('position-1');
    expect(appended).toEqual([
      expect.objectContaining({
        id,
        exchange: 'my_events',
        topic: 'user.42.created',
        type: 'UserWasCreated',
        subject: 'user/42',
        data: { id: '42' },
      }),
    ]);
  });

  it('keeps all attributes of a CloudEvent, and takes exchange and topic from the path', async () => {
    const base = await open();
    const event = createEvent(
      { exchange: 'other', topic: 'other', type: 'T', source: '/shop', data: [1] },
      { id: 'e1', time: '2026-01-01T00:00:00Z' },
    );
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    const response = await post(base, { ...event, traceparent: '00-1' }, { headers });
    expect(response.status).toBe(201);
    expect(appended).toEqual([{ ...event, traceparent: '00-1', exchange: 'my_events', topic: 'user.42.created' }]);
  });

  it.each([
    ['no token', { authorization: '' }, 401, 'Bearer'],
    ['another scheme', { authorization: 'Basic secret' }, 401, 'Bearer'],
    ['a wrong token', { authorization: 'Bearer secre' }, 401, 'Bearer error="invalid_token"'],
  ])('refuses %s', async (_name, headers, status, challenge) => {
    const response = await post(await open(), { type: 'T' }, { headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toBe(challenge);
    expect(appended).toEqual([]);
  });

  it('[H-08] refuses wrong tokens of an address after some of them, and never the right one', async () => {
    const clock = new FakeClock();
    const configured = { ...DEFAULT_LIMITS, maxFailedAuthenticationsPerMinute: 3 };
    const base = await open({ limits: new AccessLimits(configured, { exemptAddresses: [] }, clock) });
    const guess = { headers: { authorization: 'Bearer wrong' } };
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await post(base, { type: 'T' }, guess)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect((await post(base, { type: 'T' })).status).toBe(201);
    expect((await post(base, { type: 'T' }, guess)).status).toBe(429);
  });

  it('is off without a configured token, whatever token a request carries', async () => {
    const response = await post(
      await open({ token: undefined }),
      { type: 'T' },
      { headers: { authorization: 'Bearer undefined' } },
    );
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      detail: 'publishing and revoking are off: no token is configured (http.token)',
    });
  });

  it.each([
    ['a body that is not JSON', '{', {}, 400],
    ['no type', {}, {}, 400],
    ['an unknown attribute', { type: 'T', topic: 'x' }, {}, 400],
    ['a time that is a number', { type: 'T', time: 5 }, {}, 400],
    [
      'a CloudEvent without an id',
      { specversion: '1.0', source: '/', type: 'T' },
      { 'content-type': 'application/cloudevents+json' },
      400,
    ],
    ['another content type', 'type=T', { 'content-type': 'text/plain' }, 415],
  ])('refuses %s', async (_name, body, headers, status) => {
    const response = await post(await open(), body, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status, detail: expect.any(String) });
    expect(appended).toEqual([]);
  });

  it.each([
    ['/publish/my_events/a..b', 400],
    ['/publish/my_events/%E0%A4%A', 400],
    ['/publish/other/user.1', 404],
    ['/publish/my_events', 404],
    ['/nothing', 404],
  ])('answers %s with %i', async (path, status) => {
    expect((await post(await open(), { type: 'T' }, { path })).status).toBe(status);
  });

  it('answers other methods with 405, and names the allowed methods', async () => {
    const base = await open();
    const get = await fetch(`${base}/publish/my_events/a`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const remove = await fetch(`${base}/health`, { method: 'DELETE' });
    expect([remove.status, remove.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('refuses a body that is too large, with or without Content-Length', async () => {
    const base = await open({ maxBytes: 100 });
    const large = { type: 'T', data: 'x'.repeat(200) };
    expect((await post(base, large)).status).toBe(413);
    const stream = new Blob([JSON.stringify(large)]).stream();
    const chunked: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { authorization },
      body: stream,
      duplex: 'half',
    };
    expect((await fetch(`${base}/publish/my_events/a`, chunked)).status).toBe(413);
    expect(appended).toEqual([]);
  });

  it('[fault C3] [fault C4] answers 409 or 400 to an event that the log refuses for good, and says what is wrong', async () => {
    const log = openMemoryLog();
    const append = async (event: PregonEvent) => JSON.stringify(await log.append([event]));
    const base = await open({ append });
    const event = { type: 'T', id: 'one', data: 1 };
    expect((await post(base, event)).status).toBe(201);
    expect((await post(base, event)).status).toBe(201);
    const reused = await post(base, { ...event, data: 2 });
    expect([reused.status, await reused.json()]).toEqual([
      409,
      { title: 'Conflict', status: 409, detail: expect.stringContaining('another event with the id "one"') },
    ]);
    const long = await post(base, { type: 'x'.repeat(256) });
    expect([long.status, await long.json()]).toMatchObject([400, { detail: expect.stringContaining('type has 256') }]);
    const deep = `{"type":"T","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    expect((await post(base, deep)).status).toBe(400);
    await log.close();
  });

  it('asks to try again if the log is unavailable, without internal details', async () => {
    const away = await post(await open({ append: () => Promise.reject(new PregonError('LOG_UNAVAILABLE', 'away')) }), {
      type: 'T',
    });
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    await port?.close();
    const told: object[] = [];
    const logger = { ...silent, error: (fields: object) => told.push(fields) };
    const append = () => Promise.reject(new TypeError('secret'));
    const broken = await post(await open({ append, logger }), { type: 'T' });
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('secret');
    // JSON logs show an error under this name with its message and stack.
    expect(told).toEqual([expect.objectContaining({ err: expect.objectContaining({ message: 'secret' }) })]);
  });
});

describe('the table of routes', () => {
  it('is searched in order, with the decoded segments of the path', async () => {
    const asked: object[] = [];
    const routes = ['/a/:one', '/a/:other'].map((path) => ({
      path,
      methods: ['GET'],
      access: 'anyone' as const,
      answer(_: unknown, response: ServerResponse, parameters: object) {
        asked.push(parameters);
        response.end(path);
      },
    }));
    port = await HttpPort.open({ port: 0, routes, logger: silent });
    const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port?.address.port}${path}`, init);
    expect(await (await ask('/a/x%2Fy?q=1')).text()).toBe('/a/:one');
    expect(asked).toEqual([{ one: 'x/y' }]);
    for (const path of ['/a', '/a/', '/a/b/c', '/b/x', '/']) expect((await ask(path)).status, path).toBe(404);
    expect((await ask('/a/x', { method: 'DELETE' })).headers.get('allow')).toBe('GET');
    expect(await (await ask('/b')).json()).toMatchObject({
      status: 404,
      detail: 'this path does not exist; the paths are GET /a/:one and GET /a/:other',
    });
  });
});

describe('slow requests', () => {
  it('[fault B6] without a complete head are ended soon after the handshake timeout', async () => {
    const base = await open({ handshakeTimeoutMs: 100 });
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n');
    const since = performance.now();
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - since).toBeLessThan(20_000);
  });
});
