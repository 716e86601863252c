import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AdmissionRequest, GatewayOptions } from 'pregon';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ENTERING } from '../../support/access/entering-clients.js';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';

const AUTH: NonNullable<GatewayOptions['auth']> = { issuers: [{ issuer: ISSUER, secret: SECRET }] };

const COMPONENT = { onOpen() {}, onMessage() {}, onClose() {}, onError() {} };

function start(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  return startGateway({
    auth: AUTH,
    routes: {
      events: {
        path: '/events',
        allow: [{ subscribe: 'user.{sub}.#' }, { subscribe: 'org.{org.id}.#', if: { role: ['admin', 'owner'] } }],
      },
      news: { path: '/news', allow: [{ subscribe: 'public.#', who: 'anyone' }, { subscribe: 'user.{sub}.#' }] },
      open: { path: '/open', access: 'public' },
      closed: { path: '/closed' },
    },
    ...options,
  });
}

const TOPICS = ['public.1', 'user.ada.created', 'user.grace.created', 'org.7.closed', 'secret'];

async function append({ append: add }: TestGateway): Promise<void> {
  await add(TOPICS.length, { topic: (n) => TOPICS[(n - 1) % TOPICS.length] ?? 'secret' });
}

interface Attempt {
  /** The status of a refusal, or undefined. */
  readonly status?: number;
  /** The topics of the events that arrived so far. */
  topics(): string[];
}

type Connect = (gateway: TestGateway, path: string, token?: string) => Promise<Attempt>;

function headersOf(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

function topicIn(text: string): string {
  return String(Reflect.get(Object(JSON.parse(text)), 'topic'));
}

const refused = (status: number): Attempt => ({ status, topics: () => [] });

/** The status that a close code stands for. */
const STATUS_OF_CLOSE: Readonly<Record<number, number>> = { 4005: 401, 4504: 403, 4505: 401 };

/** A client of each transport, which replays from the first event. */
const TRANSPORTS: Readonly<Record<string, Connect>> = {
  async 'plain WebSocket'({ ws }, path, token) {
    const socket = new WebSocket(ws(`${path}?since=first`), { headers: headersOf(token) });
    onTestFinished(() => socket.terminate());
    const topics: string[] = [];
    socket.on('message', (data) => topics.push(topicIn(data.toString())));
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve({ topics: () => topics }));
      socket.on('unexpected-response', (_, { statusCode = 0 }) => resolve(refused(statusCode)));
      socket.on('error', reject);
    });
  },
  async 'pregon.v1'({ ws }, path, token) {
    const socket = new WebSocket(ws(path), ['pregon.v1'], { headers: headersOf(token) });
    onTestFinished(() => socket.terminate());
    const topics: string[] = [];
    socket.on('message', (data) => {
      const text = data.toString();
      if (text.includes('"specversion"')) topics.push(topicIn(text));
    });
    return new Promise((resolve, reject) => {
      socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', id: 1, since: 'first' })));
      socket.once('message', () => resolve({ topics: () => topics }));
      socket.on('close', (code) => resolve(refused(STATUS_OF_CLOSE[code] ?? code)));
      socket.on('error', reject);
    });
  },
  async 'an event stream'({ http }, path, token) {
    const request = get(http(`${path}?since=first`), {
      agent: false,
      headers: { Accept: 'text/event-stream', ...headersOf(token) },
    });
    onTestFinished(() => void request.destroy());
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (response?.statusCode !== 200) return refused(response?.statusCode ?? 0);
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('error', () => {});
    return { topics: () => [...text.matchAll(/^data: (\{"specversion".*)$/gm)].map(([, data = '']) => topicIn(data)) };
  },
  'Socket.IO by WebSocket': (gateway, path, token) => socketIo(gateway, path, token, ['websocket']),
  'Socket.IO by long polling': (gateway, path, token) => socketIo(gateway, path, token, ['polling']),
};

async function socketIo({ http }: TestGateway, path: string, token: string | undefined, transports: string[]) {
  const client = new SocketIoClient(http(path), {
    transports,
    auth: { since: 'first', ...(token === undefined ? {} : { token }) },
    reconnection: false,
  });
  return new Promise<Attempt>((resolve) => {
    client.socket.on('connect_error', (error) => {
      const data: unknown = Reflect.get(error, 'data');
      resolve(refused(Number(Reflect.get(Object(data), 'status') ?? 0)));
    });
    client.socket.on('connect', () => {
      const events = () => client.received.all.filter(({ name }) => name === 'event');
      resolve({ topics: () => events().map(({ args: [event] }) => String(Reflect.get(Object(event), 'topic'))) });
    });
  });
}

describe.each(Object.entries(TRANSPORTS))('[I-9] [H-02] [H-03] With tokens and rules, a client by %s', (_, connect) => {
  it('gets the topics of its own token, and nothing else', async () => {
    const gateway = await start();
    await append(gateway);
    const ada = await connect(gateway, '/events', await signToken({ sub: 'ada' }));
    const admin = await connect(gateway, '/events', await signToken({ sub: 'eve', role: 'admin', org: { id: 7 } }));
    await expect.poll(ada.topics).toEqual(['user.ada.created']);
    await expect.poll(admin.topics).toEqual(['org.7.closed']);
    await append(gateway);
    await expect.poll(ada.topics).toEqual(['user.ada.created', 'user.ada.created']);
  });

  it('gets without a token what is for anyone, and is refused with 401 where nothing is', async () => {
    const gateway = await start();
    await append(gateway);
    expect((await connect(gateway, '/events')).status).toBe(401);
    const anonymous = await connect(gateway, '/news');
    await expect.poll(anonymous.topics).toEqual(['public.1']);
    const ada = await connect(gateway, '/news', await signToken());
    await expect.poll(ada.topics).toEqual(['public.1', 'user.ada.created']);
  });

  it.each<[name: string, status: number, token: () => Promise<string>]>([
    ['has expired', 401, () => signToken({}, { expiresInS: -60 })],
    ['is signed with another secret', 401, () => signToken({}, { secret: `${SECRET}!` })],
    ['is of an unknown issuer', 401, () => signToken({}, { issuer: 'other' })],
    [
      'was changed',
      401,
      async () => (await signToken()).replace(/\.[^.]*\./, `.${Buffer.from('{}').toString('base64url')}.`),
    ],
    ['is not a token', 401, async () => 'nonsense'],
    ['has a subject that is a wildcard', 403, () => signToken({ sub: '#' })],
  ])('is refused if its token %s, also where anonymous clients are admitted', async (_name, status, token) => {
    const gateway = await start();
    expect((await connect(gateway, '/events', await token())).status).toBe(status);
    expect((await connect(gateway, '/news', await token())).status).toBe(status);
    expect(gateway.gateway.connections('news').count).toBe(0);
  });

  it('is refused at a route without rules, with and without a token, and admitted at a public one', async () => {
    const gateway = await start();
    await append(gateway);
    expect((await connect(gateway, '/closed')).status).toBe(401);
    expect((await connect(gateway, '/closed', await signToken())).status).toBe(403);
    const open = await connect(gateway, '/open');
    await expect.poll(open.topics).toEqual(TOPICS);
  });
});

describe('[I-9] With tokens and rules', () => {
  it('a component is closed without access, open to identities with authenticated, and to all with public', async () => {
    const gateway = await start();
    gateway.gateway.mount('/closed-chat', COMPONENT);
    gateway.gateway.mount('/chat', COMPONENT, { access: 'authenticated' });
    gateway.gateway.mount('/lobby', COMPONENT, { access: 'public' });
    const connect = TRANSPORTS['plain WebSocket'];
    if (!connect) throw new Error('there is a client');
    const token = await signToken();
    const outcomes = await Promise.all(
      ['/closed-chat', '/chat', '/lobby'].flatMap((path) => [
        connect(gateway, path).then(({ status }) => status),
        connect(gateway, path, token).then(({ status }) => status),
      ]),
    );
    expect(outcomes).toEqual([401, 403, 401, undefined, undefined, undefined]);
  });

  it('a namespace of Socket.IO that is not a route is closed unless it is listed', async () => {
    const gateway = await start({ namespaces: { '/chat': 'authenticated', '/lobby': 'public' } });
    for (const name of ['/chat', '/lobby', '/admin']) gateway.gateway.io.of(name);
    const outcome = async (path: string, token?: string) =>
      (await socketIo(gateway, path, token, ['websocket'])).status ?? 'connected';
    const token = await signToken();
    expect(await outcome('/admin')).toBe(401);
    expect(await outcome('/admin', token)).toBe(403);
    expect(await outcome('/', token)).toBe(403);
    expect(await outcome('/chat')).toBe(401);
    expect(await outcome('/chat', token)).toBe('connected');
    expect(await outcome('/lobby')).toBe('connected');
  });

  it('a middleware of a namespace that is defined by a pattern sees admitted clients only', async () => {
    const gateway = await start({ namespaces: { '/room-1': 'authenticated' } });
    const seen: string[] = [];
    gateway.gateway.io.of(/^\/room-\d$/).use(({ nsp, data }, next) => {
      seen.push(`${nsp.name} ${String(Reflect.get(Object(data.identity), 'sub'))}`);
      next();
    });
    const token = await signToken();
    const outcome = async (path: string, shown?: string) =>
      (await socketIo(gateway, path, shown, ['websocket'])).status ?? 'connected';
    expect(await outcome('/room-1')).toBe(401);
    expect(await outcome('/room-2', token)).toBe(403);
    expect(await outcome('/room-1', token)).toBe('connected');
    expect(seen).toEqual(['/room-1 ada']);
  });

  it('[I-7] a session of long polling is not verified again by each poll, and keeps its identity', async () => {
    let asked = 0;
    const verify = async () => {
      asked += 1;
      return { iss: 'shop', sub: 'ada' };
    };
    const told: unknown[] = [];
    const gateway = await start({
      auth: { verify },
      admissions: [{ name: 'last', admit: ({ isNew }, identity) => void told.push([isNew, identity?.sub]) }],
    });
    await append(gateway);
    const client = await socketIo(gateway, '/events', undefined, ['polling']);
    await expect.poll(client.topics).toEqual(['user.ada.created']);
    expect(asked).toBe(1);
    expect(told).toContainEqual([false, 'ada']);
    expect(told).not.toContainEqual([false, undefined]);
  });

  it.each<[name: string, headers: Record<string, string>, protocols: string[]]>([
    ['offers pregon.v1', {}, ['pregon.v1']],
    ['comes from a page', { Origin: 'http://localhost:3000' }, []],
  ])('a WebSocket client that %s is told by a close code', async (_, headers, protocols) => {
    const gateway = await start();
    const codeOf = async (path: string, token?: string) => {
      const socket = new WebSocket(gateway.ws(path), protocols, {
        headers: { ...headers, ...headersOf(token), Host: 'localhost' },
      });
      const [code, reason]: [number, Buffer] = await new Promise((resolve, reject) => {
        socket.on('close', (...closed) => resolve(closed));
        socket.on('error', reject);
      });
      return `${code} ${reason.toString()}`;
    };
    expect(await codeOf('/events')).toBe('4505 a token is needed here');
    expect(await codeOf('/events', 'nonsense')).toMatch(/^4505 the token is not a signed JSON Web Token/);
    expect(await codeOf('/events', await signToken({}, { expiresInS: -60 }))).toBe('4005 the token has expired');
    expect(await codeOf('/closed', await signToken())).toBe('4504 this entrance is closed');
    expect(gateway.gateway.connections('events').count).toBe(0);
  });

  it('[H-05] an identity of the application that has expired is refused', async () => {
    const verify = () => ({ iss: 'shop', sub: 'ada', expiresAtMs: Date.now() - 60_000 });
    const gateway = await start({ auth: { verify } });
    await append(gateway);
    for (const [name, connect] of Object.entries(TRANSPORTS)) {
      const { status, topics } = await connect(gateway, '/events');
      // Without a status, the client would be connected. Socket.IO does not tell it the status of a refused session.
      expect([name, status ?? 'connected']).not.toContain('connected');
      expect(topics()).toEqual([]);
    }
    gateway.gateway.mount('/chat', COMPONENT, { access: 'authenticated' });
    expect((await TRANSPORTS['plain WebSocket']?.(gateway, '/chat'))?.status).toBe(401);
  });

  it('[H-05] a component and a namespace lose their clients when the identity expires', async () => {
    // The rights end 5 seconds after the identity, and the clients have 5 seconds to be closed.
    const expiresAtMs = Date.now() - 4_000;
    const gateway = await start({
      auth: { verify: () => ({ iss: 'shop', sub: 'ada', expiresAtMs }) },
      namespaces: { '/lobby': 'authenticated' },
    });
    const got: unknown[] = [];
    const component = { ...COMPONENT, onMessage: (_: unknown, data: unknown) => void got.push(data) };
    gateway.gateway.mount('/chat', component, { access: 'authenticated' });
    gateway.gateway.io.of('/lobby');
    const socket = new WebSocket(gateway.ws('/chat'));
    onTestFinished(() => socket.terminate());
    const closed = once(socket, 'close');
    await once(socket, 'open');
    const client = new SocketIoClient(gateway.http('/lobby'), { transports: ['websocket'], reconnection: false });
    const disconnected = new Promise((resolve) => client.socket.once('disconnect', resolve));
    await new Promise<void>((resolve) => client.socket.once('connect', () => resolve()));
    socket.send('before');
    await expect.poll(() => got.length).toBe(1);
    const [code]: unknown[] = await closed;
    expect(code).toBe(4005);
    expect(await disconnected).toMatch(/^transport (close|error)$/);
  });

  it('[H-04] a token in the URL refuses the request, whatever else it has', async () => {
    const gateway = await start();
    const token = await signToken();
    for (const name of ['token', 'access_token', 'ACCESS_TOKEN', '%74oken']) {
      const response = await fetch(gateway.http(`/news?${name}=${token}`), {
        headers: { Accept: 'text/event-stream', ...headersOf(token) },
      });
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain(token);
    }
  });

  it('an identity is told to the handlers of a route and of Socket.IO', async () => {
    const identities: unknown[] = [];
    const handlers = [{ opened: ({ identity }: { identity: unknown }) => void identities.push(identity) }];
    const gateway = await start({
      routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }], handlers } },
    });
    const token = await signToken({ sub: 'ada', role: 'admin' });
    for (const connect of Object.values(TRANSPORTS)) await connect(gateway, '/events', token);
    await expect.poll(() => identities.length).toBe(5);
    for (const identity of identities) {
      expect(identity).toMatchObject({ iss: ISSUER, sub: 'ada', claims: { role: 'admin' } });
    }
    const sockets = await gateway.gateway.io.of('/events').fetchSockets();
    expect(sockets.map(({ data }) => Reflect.get(Object(data), 'identity'))).toEqual([
      expect.objectContaining({ sub: 'ada' }),
      expect.objectContaining({ sub: 'ada' }),
    ]);
  });

  it('the application can find the identity by its own means', async () => {
    const gateway = await start({
      auth: {
        verify: async ({ headers }) => (headers.cookie === 'session=1' ? { iss: 'shop', sub: 'ada' } : undefined),
      },
    });
    await append(gateway);
    const open = async (cookie?: string) => {
      const response = await fetch(gateway.http('/events?since=first'), {
        headers: { Accept: 'text/event-stream', ...(cookie === undefined ? {} : { Cookie: cookie }) },
      });
      void response.body?.cancel();
      return response.status;
    };
    expect([await open(), await open('session=2'), await open('session=1')]).toEqual([401, 401, 200]);
  });

  it('[I-9] the application sees no cookie that a page of any site can make a browser send', async () => {
    const seen: unknown[] = [];
    const verify = ({ headers }: AdmissionRequest) => {
      seen.push(headers.cookie);
      return headers.cookie === 'session=1' ? { iss: 'shop', sub: 'ada' } : undefined;
    };
    const gateway = await start({ auth: { verify }, allowedOrigins: ['null', 'https://shop.example'] });
    const statusOf = async (path: string, headers: Record<string, string>) => {
      const request = get(gateway.http(path), { agent: false, headers: { Cookie: 'session=1', ...headers } });
      onTestFinished(() => void request.destroy());
      const [response]: IncomingMessage[] = await once(request, 'response');
      return response?.statusCode;
    };
    const stream = { Accept: 'text/event-stream' };
    for (const site of ['cross-site', 'same-site', 'unknown']) {
      expect(await statusOf('/events', { ...stream, 'Sec-Fetch-Site': site })).toBe(401);
      await statusOf('/socket.io/?EIO=4&transport=polling', { 'Sec-Fetch-Site': site });
    }
    expect(await statusOf('/events', { ...stream, Origin: 'null', 'Sec-Fetch-Site': 'same-origin' })).toBe(401);
    expect(seen).toEqual(Array(7).fill(undefined));
    expect(await statusOf('/events', stream)).toBe(200);
    expect(await statusOf('/events', { ...stream, Origin: 'https://shop.example' })).toBe(200);
    expect(await statusOf('/events', { ...stream, 'Sec-Fetch-Site': 'same-origin' })).toBe(200);
  });
});

describe('[I-11] After the machine was suspended', () => {
  it('no client gets anything under a token that has expired in the meantime, and each connection ends', async () => {
    const now = Date.now;
    let suspendedMs = 0;
    const wallClock = vi.spyOn(Date, 'now').mockImplementation(() => now() + suspendedMs);
    onTestFinished(() => wallClock.mockRestore());
    const gateway = await start();
    const token = await signToken();
    const clients = Object.values(ENTERING).map((enter) => enter(gateway, token));
    for (const { entered } of clients) expect(await entered).toBe('connected');
    // The time of day goes on while the machine is suspended, but no timer does.
    suspendedMs = 86_400_000;
    await append(gateway);
    await Promise.all(clients.map(({ ended }) => ended));
    expect(clients.flatMap(({ numbers }) => numbers)).toEqual([]);
  });
});

describe('A gateway does not start', () => {
  it.each<[name: string, options: Partial<GatewayOptions>, error: RegExp]>([
    ['rules without auth', { auth: undefined }, /routes\.events\.allow needs auth/],
    ['auth without issuers and verify', { auth: {} }, /auth needs issuers, verify or hook/],
    ['a short secret', { auth: { issuers: [{ issuer: ISSUER, secret: 'short' }] } }, /at least 32/],
    ['a cookie without allowedOrigins', { auth: { ...AUTH, cookie: 'session' } }, /allowedOrigins/],
    [
      'a rule with an invalid pattern',
      { routes: { events: { path: '/events', allow: [{ subscribe: 'a..b' }] } } },
      /routes\.events\.allow\[0\]/,
    ],
  ])('with %s', async (_, options, error) => {
    const clean = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const starting = 'auth' in options && !options.auth ? startWithout() : start(clean);
    await expect(starting).rejects.toThrow(error);
  });

  const startWithout = () =>
    startGateway({ routes: { events: { path: '/events', allow: [{ subscribe: 'public.#', who: 'anyone' }] } } });
});
