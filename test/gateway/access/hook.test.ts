import type { GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { Application } from '../../support/access/application.js';
import { PAGE, requestTicket, ticketFor } from '../../support/access/tickets.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

interface Started extends TestGateway {
  readonly application: Application;
  readonly lines: string[];
}

async function start(auth: Omit<NonNullable<GatewayOptions['auth']>, 'hook'> = {}): Promise<Started> {
  const application = await Application.start();
  const lines: string[] = [];
  const log = (fields: object, message: string) => lines.push(`${JSON.stringify(fields)} ${message}`);
  const gateway = await startGateway({
    auth: { hook: application.url, ...auth },
    allowedOrigins: [PAGE],
    logger: { info: log, warn: log, error: log, debug: log },
    routes: {
      events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#', if: { role: 'member' } }] },
      news: { path: '/news', allow: [{ subscribe: '#', who: 'anyone' }] },
    },
  });
  return { ...gateway, application, lines };
}

const ada = { headers: { Cookie: 'session=ada' } };

describe('[I-9] [H-04] With a hook', () => {
  it('a client has the identity that the application finds, on every transport', async () => {
    const gateway = await start();
    const plain = await PlainClient.open(gateway.ws('/events'), ada);
    const stream = await StreamClient.open(gateway.http('/events'), ada.headers);
    const socketIo = new SocketIoClient(gateway.http('/events'), { extraHeaders: ada.headers });
    await new Promise<void>((resolve) => socketIo.socket.once('connect', resolve));
    await gateway.append(2, { topic: (n) => (n === 1 ? 'user.grace.created' : 'user.ada.created') });
    expect(await plain.numbers(1)).toEqual([2]);
    expect(await stream.numbers(1)).toEqual([2]);
    await expect.poll(() => socketIo.received.all.filter(({ name }) => name === 'event')).toHaveLength(1);
    // A session of Socket.IO is asked about once, whatever the number of its polls and namespaces.
    expect(gateway.application.requests).toHaveLength(3);
  });

  it('an anonymous client gets what is for anyone, and is refused where nothing is', async () => {
    const gateway = await start();
    await PlainClient.open(gateway.ws('/news'));
    expect((await refusal(gateway.ws('/events'))).statusCode).toBe(401);
  });

  it('the application sees the headers that it needs, those in forward, and the address of the client', async () => {
    const gateway = await start({ forward: ['X-Tenant'] });
    const own = {
      cookie: 'session=ada; theme=dark',
      authorization: 'Bearer abc',
      origin: PAGE,
      'user-agent': 'Test/1',
      'accept-language': 'es',
      'x-tenant': 'seven',
    };
    const hidden = { 'X-Other': 'x', 'Pregon-Client-Address': '203.0.113.1', 'X-Forwarded-For': '203.0.113.1' };
    await PlainClient.open(gateway.ws('/events?since=first'), { headers: { ...own, ...hidden } });
    const [request] = gateway.application.requests;
    expect(request).toMatchObject({ method: 'GET', url: '/pregon/access' });
    expect(request?.headers).toMatchObject({ ...own, 'pregon-client-address': '127.0.0.1' });
    expect(request?.headers).not.toHaveProperty('x-other');
    expect(request?.headers).not.toHaveProperty('x-forwarded-for');
    expect(request?.headers).not.toHaveProperty('sec-websocket-key');
  });

  it('the application gets the token of Socket.IO as Authorization, and no header can be smuggled in it', async () => {
    const gateway = await start();
    const connect = async (token: unknown) => {
      const { socket } = new SocketIoClient(gateway.http('/news'), { auth: { token }, reconnection: false });
      return new Promise<string>((resolve) => {
        socket.once('connect', () => resolve('connected'));
        socket.once('connect_error', () => resolve('refused'));
      });
    };
    expect(await connect('abc.def')).toBe('connected');
    expect(gateway.application.requests.map(({ headers }) => headers.authorization)).toContain('Bearer abc.def');
    const before = gateway.application.requests.length;
    for (const token of ['a\r\nX-Admin: 1', 'a b', '', 'x'.repeat(8_193), { a: 1 }, 'é']) {
      expect(await connect(token)).toBe('refused');
    }
    const asked = gateway.application.requests.slice(before);
    expect(asked.some(({ headers }) => headers.authorization !== undefined || headers['x-admin'])).toBe(false);
  });

  it('[I-11] [H-06] a revocation reaches a question that the application has not answered yet', async () => {
    const gateway = await start();
    const open = await PlainClient.open(gateway.ws('/events'), ada);
    const answer = gateway.application.answer;
    let release = () => {};
    gateway.application.answer = (...asked) => {
      release = () => answer(...asked);
    };
    const asking = refusal(gateway.ws('/events'), ada);
    await expect.poll(() => gateway.application.requests).toHaveLength(2);
    await gateway.gateway.revoke({ iss: 'hook', sub: 'ada' });
    expect(await open.whenClosed()).toMatchObject({ code: 4506 });
    release();
    expect((await asking).statusCode).toBe(401);
    gateway.application.answer = answer;
    await PlainClient.open(gateway.ws('/events'), ada);
  });

  it('a connection ends when the application says so', async () => {
    const gateway = await start();
    gateway.application.answers(200, JSON.stringify({ sub: 'ada', claims: { role: 'member' }, expiresInMs: 500 }));
    const client = await PlainClient.open(gateway.ws('/events'), ada);
    expect(await client.whenClosed(30_000)).toMatchObject({ code: 4005 });
  });

  it.each<[string, number, (application: Application) => void]>([
    ['answers 401', 401, (application) => application.answers(401)],
    ['answers 403', 403, (application) => application.answers(403)],
    ['answers 500', 503, (application) => application.answers(500)],
    ['answers 200 without an identity', 503, (application) => application.answers(200, '{}')],
    ['answers 201', 503, (application) => application.answers(201, '{"sub":"ada"}')],
    ['redirects', 503, (application) => application.answers(302, '', { Location: application.url })],
    [
      'sends more than 64 KB',
      503,
      (application) => application.answers(200, JSON.stringify({ sub: 'ada', claims: { text: 'x'.repeat(65_536) } })),
    ],
    [
      'breaks off',
      503,
      (application) => {
        application.answer = (request) => request.socket.destroy();
      },
    ],
    [
      'does not answer',
      503,
      (application) => {
        application.answer = () => {};
      },
    ],
    [
      'does not end its answer',
      503,
      (application) => {
        application.answer = (_request, response) => response.writeHead(200).write('{"sub":"ada"');
      },
    ],
  ])('a client is refused if the application %s', async (_case, status, prepare) => {
    const gateway = await start();
    prepare(gateway.application);
    for (const path of ['/news', '/events']) {
      expect((await refusal(gateway.ws(path), ada)).statusCode).toBe(status);
    }
    expect(gateway.gateway.connections('news').count).toBe(0);
    expect(gateway.application.requests).toHaveLength(2);
    if (status === 503) expect(gateway.lines.join('\n')).toContain('see auth.hook http://127.0.0.1');
  });

  it('a stream is cut while the application does not answer, so that an EventSource returns, and a line says why', async () => {
    const gateway = await start();
    gateway.application.answers(500);
    const stream = fetch(gateway.http('/events'), { headers: { Accept: 'text/event-stream' } });
    await expect(stream).rejects.toThrow('fetch failed');
    expect(gateway.lines.join('\n')).toContain('see auth.hook http://127.0.0.1');
  });

  it('a client is refused if the application is not there, and admitted when it is back', async () => {
    const gateway = await start();
    const closed = await startGateway({ auth: { hook: 'http://127.0.0.1:1/' }, routes: { news: NEWS } });
    expect((await refusal(closed.ws('/news'))).statusCode).toBe(503);
    gateway.application.answers(500);
    expect((await refusal(gateway.ws('/news'))).statusCode).toBe(503);
    gateway.application.answers(204);
    await PlainClient.open(gateway.ws('/news'));
  });

  it('no cookie counts of a page that is not allowed, or that has no origin of its own', async () => {
    const gateway = await start();
    const stream = (headers: Record<string, string>) =>
      fetch(gateway.http('/events'), { headers: { Accept: 'text/event-stream', ...ada.headers, ...headers } });
    expect((await stream({ Origin: 'https://evil.example' })).status).toBe(403);
    expect((await stream({ 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await stream({ 'Sec-Fetch-Site': 'same-site' })).status).toBe(403);
    expect(gateway.application.requests).toHaveLength(0);
    const own = await stream({ 'Sec-Fetch-Site': 'same-origin' });
    expect(own.status).toBe(200);
    await own.body?.cancel();
  });

  it('[H-05] a client of pregon.v1 may show a token in its first frame, and a new one later', async () => {
    const gateway = await start();
    gateway.application.answer = ({ headers: { authorization } }, response) => {
      if (authorization === undefined) response.writeHead(401).end();
      else response.end(JSON.stringify({ sub: 'ada', claims: { role: authorization.slice('Bearer '.length) } }));
    };
    const client = new FramesClient(gateway.ws('/events'));
    await new Promise((resolve) => client.socket.once('open', resolve));
    client.send({ op: 'auth', token: 'member' });
    expect(await client.control('authorized')).toMatchObject({ sub: 'ada' });
    await client.subscribe({ id: 1 });
    await gateway.append(1, { topic: () => 'user.ada.created' });
    expect(await client.numbers(1, 1)).toEqual([1]);
    client.send({ op: 'auth', token: 'guest' });
    expect(await client.control('error')).toMatchObject({ code: 'FORBIDDEN' });
    const refused = new FramesClient(gateway.ws('/events'), { headers: { Cookie: 'session=none' } });
    expect(await refused.whenClosed()).toMatchObject({ code: 4505 });
  });

  it('a page gets a ticket for its session, and the application is not asked again', async () => {
    const gateway = await start();
    expect((await requestTicket(gateway.http('/events'), {})).status).toBe(401);
    const ticket = await ticketFor(gateway.http('/events'), { headers: ada.headers });
    const asked = gateway.application.requests.length;
    const client = await PlainClient.open(gateway.ws(`/events?ticket=${ticket}`), { origin: PAGE });
    await gateway.append(1, { topic: () => 'user.ada.created' });
    await client.numbers(1);
    expect(gateway.application.requests).toHaveLength(asked);
  });

  it('[I-7] a storm of clients asks in turns, and all are admitted', async () => {
    const gateway = await start();
    let [now, most] = [0, 0];
    gateway.application.answer = (_request, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        response.writeHead(204).end();
      }, 20);
    };
    const clients = await Promise.all(Array.from({ length: 300 }, () => PlainClient.open(gateway.ws('/news'))));
    expect(clients).toHaveLength(300);
    expect(most).toBeLessThanOrEqual(100);
    expect(most).toBeGreaterThan(1);
  });
});

const NEWS = { path: '/news', allow: [{ subscribe: '#', who: 'anyone' }] } as const;

describe('[H-04] The options of a hook', () => {
  it.each<[NonNullable<GatewayOptions['auth']>, string]>([
    [{ hook: 'http://127.0.0.1/', issuers: [{ issuer: 'shop', secret: 'x'.repeat(32) }] }, 'auth.hook'],
    [{ hook: 'http://127.0.0.1/', verify: () => undefined }, 'auth.hook'],
    [{ hook: 'http://127.0.0.1/', cookie: 'session' }, 'auth.cookie'],
    [{ verify: () => undefined, forward: ['x-tenant'] }, 'auth.forward'],
    [{ hook: 'nonsense' }, 'auth.hook must be a URL'],
  ])('are refused if they contradict each other: %j', async (auth, message) => {
    await expect(startGateway({ auth, routes: { news: NEWS } })).rejects.toThrow(message);
  });

  it('that send cookies over foreign networks are warned of', async () => {
    const lines: string[] = [];
    const log = (fields: object, message: string) => lines.push(`${JSON.stringify(fields)} ${message}`);
    const logger = { info() {}, warn: log, error() {}, debug() {} };
    await startGateway({ auth: { hook: 'http://shop.example/access?key=secret' }, routes: { news: NEWS }, logger });
    expect(lines.join('\n')).toContain('use https');
    expect(lines.join('\n')).not.toContain('secret');
  });
});
