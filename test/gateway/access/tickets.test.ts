import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createSecureServer } from 'node:http2';
import { join } from 'node:path';
import { attachGateway, type GatewayOptions, type RouteHandlers } from 'pregon';
import { describe, expect, it } from 'vitest';
import { PAGE, requestTicket, ticketFor } from '../../support/access/tickets.js';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { Workers } from '../../support/gateway/workers.js';

const AUTH: NonNullable<GatewayOptions['auth']> = { issuers: [{ issuer: ISSUER, secret: SECRET }] };

function start(options: Parameters<typeof startGateway>[0] = {}): Promise<TestGateway> {
  return startGateway({
    auth: AUTH,
    allowedOrigins: [PAGE],
    routes: {
      events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }] },
      news: { path: '/news', allow: [{ subscribe: 'public.#', who: 'anyone' }, { subscribe: 'user.{sub}.#' }] },
    },
    ...options,
  });
}

const origin = { origin: PAGE };

/** Appends an event for ada, which a client with her ticket must get. */
const appendForAda = (gateway: TestGateway) => gateway.append(1, { topic: () => 'user.ada.created' });

describe('[I-9] [H-04] With a ticket', () => {
  it('a stock WebSocket of a page gets the topics of the token', async () => {
    const gateway = await start();
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken() });
    const client = await PlainClient.open(gateway.ws(`/events?ticket=${ticket}`), origin);
    await gateway.append(1, { topic: () => 'user.grace.created' });
    await appendForAda(gateway);
    expect(await client.numbers(1)).toEqual([2]);
  });

  it('a client of pregon.v1 gets the topics of the token', async () => {
    const gateway = await start();
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken() });
    const client = await FramesClient.open(gateway.ws(`/events?ticket=${ticket}`), origin);
    client.send({ op: 'subscribe', id: 1, since: 'first' });
    await appendForAda(gateway);
    expect(await client.numbers(1, 1)).toEqual([1]);
  });

  it('a stock EventSource gets the topics of the token, and goes on with a new ticket and its last event id', async () => {
    const gateway = await start();
    const token = await signToken();
    const open = async (since: string) => {
      const ticket = await ticketFor(gateway.http('/events'), { token });
      return new StreamClient(gateway.http(`/events?since=${since}&ticket=${ticket}`), { Origin: PAGE });
    };
    const first = await open('first');
    await appendForAda(gateway);
    const [event] = await first.events.count(1);
    first.source.close();
    await appendForAda(gateway);
    const second = await open(event?.position ?? '');
    expect((await second.events.count(1)).map(({ id }) => id)).toEqual(['events-2']);
  });

  it('an EventSource of a page of the gateway itself, which sends no origin, gets in', async () => {
    const gateway = await start({ allowedOrigins: undefined });
    const own = gateway.http('');
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken(), origin: own });
    const stream = await StreamClient.open(gateway.http(`/events?ticket=${ticket}`));
    await appendForAda(gateway);
    await stream.events.count(1);
  });

  it('a program gets in that sent no origin', async () => {
    const gateway = await start();
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken(), origin: undefined });
    await PlainClient.open(gateway.ws(`/events?ticket=${ticket}`));
  });

  it('a connection ends when the token ends, and is told to come again', async () => {
    const gateway = await start({ auth: { ...AUTH, leewayMs: 0 } });
    const token = await signToken({}, { expiresInS: 3 });
    const ticket = await ticketFor(gateway.http('/events'), { token });
    const client = await PlainClient.open(gateway.ws(`/events?ticket=${ticket}`), origin);
    expect(await client.whenClosed(20_000)).toMatchObject({ code: 4005 });
  });

  it('a connection has the identity of the token, and neither its URL nor a log line has the ticket', async () => {
    const lines: string[] = [];
    const seen: unknown[] = [];
    const log = (fields: object, message: string) => lines.push(`${JSON.stringify(fields)} ${message}`);
    const handlers: RouteHandlers = {
      opened: ({ identity, request }) => seen.push(identity, request.url, JSON.stringify(request.headers)),
    };
    const gateway = await start({
      logger: { info: log, warn: log, error: log, debug: log },
      routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }], handlers: [handlers] } },
    });
    const token = await signToken({ sub: 'ada', org: { id: 7 }, jti: 't-1' });
    const ticket = await ticketFor(gateway.http('/events'), { token });
    await PlainClient.open(gateway.ws(`/events?since=first&ticket=${ticket}`), origin);
    await expect.poll(() => seen).toHaveLength(3);
    expect(seen[0]).toMatchObject({ iss: ISSUER, sub: 'ada', jti: 't-1', claims: { org: { id: 7 } } });
    expect(seen[0]).toHaveProperty('issuedAtMs');
    expect(seen[1]).toBe('/events?since=first');
    await new PlainClient(gateway.ws(`/events?ticket=${ticket}`), origin).whenClosed();
    await new PlainClient(gateway.ws(`/events?ticket=x${ticket}`), origin).whenClosed();
    expect(lines.join('\n')).toContain('the ticket is not valid here');
    expect([...lines, ...seen.map(String)].join('\n')).not.toContain(ticket.slice(0, 20));
  });
});

describe('[I-9] [H-04] A ticket', () => {
  it('is issued with CORS, also by a preflight, and is not kept by caches', async () => {
    const gateway = await start();
    const url = gateway.http('/events');
    const preflight = await fetch(`${url}/tickets`, {
      method: 'OPTIONS',
      headers: {
        Origin: PAGE,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization',
    });
    const response = await requestTicket(url, { token: await signToken() });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ticket: expect.stringMatching(/^[\w-]{100,}$/), expiresInMs: 30_000 });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-credentials': 'true',
      'cache-control': 'no-store',
      'content-type': 'application/json',
    });
  });

  it.each<[string, number, () => Promise<Parameters<typeof requestTicket>[1]>]>([
    ['without a token', 401, async () => ({})],
    ['with an expired token', 401, async () => ({ token: await signToken({}, { expiresInS: -60 }) })],
    ['with a token that may do nothing', 403, async () => ({ token: await signToken({ sub: '#' }) })],
    ['from a page of another origin', 403, async () => ({ token: await signToken(), origin: 'https://evil.example' })],
  ])('is not issued %s, and a page may read why', async (_case, status, request) => {
    const gateway = await start();
    const details = await request();
    const response = await requestTicket(gateway.http('/events'), details);
    expect(response.status).toBe(status);
    const readable = details.origin === undefined ? PAGE : null;
    expect(response.headers.get('access-control-allow-origin')).toBe(readable);
  });

  it('is not issued to anonymous clients, also where they are admitted, nor for another ticket', async () => {
    const gateway = await start();
    expect((await requestTicket(gateway.http('/news'), {})).status).toBe(401);
    const ticket = await ticketFor(gateway.http('/news'), { token: await signToken() });
    const response = await fetch(gateway.http(`/news/tickets?ticket=${ticket}`), {
      method: 'POST',
      headers: { Origin: PAGE },
    });
    expect(response.status).toBe(401);
  });

  it('is issued by POST only', async () => {
    const gateway = await start();
    const response = await fetch(gateway.http('/events/tickets'), { headers: { Origin: PAGE } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    const upgrade = new PlainClient(gateway.ws('/events/tickets'));
    await expect(upgrade.opened()).rejects.toThrow('405');
  });

  it('is for one connection, and a page is told to come with a new one', async () => {
    const gateway = await start();
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken() });
    await PlainClient.open(gateway.ws(`/events?ticket=${ticket}`), origin);
    const again = new PlainClient(gateway.ws(`/events?ticket=${ticket}`), origin);
    expect(await again.whenClosed()).toMatchObject({ code: 4005 });
    const stream = new StreamClient(gateway.http(`/events?ticket=${ticket}`), { Origin: PAGE });
    expect(await stream.failures.count(1)).toEqual([401]);
  });

  it('that is not valid never falls back to anonymous', async () => {
    const gateway = await start();
    for (const query of ['ticket=', 'ticket=nonsense', 'Ticket=nonsense', '%74icket=nonsense', 'ticket=a&ticket=b']) {
      const client = new PlainClient(gateway.ws(`/news?${query}`), origin);
      expect(await client.whenClosed(), query).toMatchObject({ code: 4505 });
    }
    expect(gateway.gateway.connections('news').count).toBe(0);
  });

  it.each([{ sub: 'ada' }, { jti: 't-1' }])('[H-06] does not admit after its token was revoked: %j', async (what) => {
    const gateway = await start();
    const token = await signToken({ sub: 'ada', jti: 't-1' });
    const before = await ticketFor(gateway.http('/events'), { token });
    const client = await PlainClient.open(
      gateway.ws(`/events?ticket=${await ticketFor(gateway.http('/events'), { token })}`),
      origin,
    );
    await gateway.gateway.revoke({ iss: ISSUER, ...what });
    expect(await client.whenClosed()).toMatchObject({ code: 4506 });
    const refused = new PlainClient(gateway.ws(`/events?ticket=${before}`), origin);
    expect(await refused.whenClosed()).toMatchObject({ code: 4506 });
    expect((await requestTicket(gateway.http('/events'), { token })).status).toBe(401);
  });

  it('of another route or of another origin does not admit', async () => {
    const gateway = await start({ allowedOrigins: [PAGE, 'https://other.example'] });
    const token = await signToken();
    const ofNews = await ticketFor(gateway.http('/news'), { token });
    const ofOther = await ticketFor(gateway.http('/events'), { token, origin: 'https://other.example' });
    for (const ticket of [ofNews, ofOther]) {
      const client = new PlainClient(gateway.ws(`/events?ticket=${ticket}`), origin);
      expect(await client.whenClosed()).toMatchObject({ code: 4505 });
    }
  });

  it('counts after a token: a good one admits without it, a bad one refuses', async () => {
    const gateway = await start();
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken() });
    const url = gateway.ws(`/events?ticket=${ticket}`);
    const bad = new PlainClient(url, { ...origin, headers: { Authorization: 'Bearer nonsense' } });
    expect(await bad.whenClosed()).toMatchObject({ code: 4505 });
    const grace = await signToken({ sub: 'grace' });
    const client = await PlainClient.open(url, { ...origin, headers: { Authorization: `Bearer ${grace}` } });
    await gateway.append(1, { topic: () => 'user.grace.created' });
    await client.numbers(1);
    await PlainClient.open(url, origin);
  });

  it('is refused by Socket.IO and components, and is not in their URLs', async () => {
    const gateway = await start({ namespaces: { '/': 'public' } });
    gateway.gateway.mount('/chat', { onOpen() {}, onMessage() {}, onClose() {}, onError() {} }, { access: 'public' });
    const ticket = await ticketFor(gateway.http('/events'), { token: await signToken() });
    const client = new SocketIoClient(gateway.http('/events'), { query: { ticket }, extraHeaders: { Origin: PAGE } });
    await new Promise<void>((resolve) => client.socket.once('connect_error', () => resolve()));
    const chat = new PlainClient(gateway.ws(`/chat?ticket=${ticket}`), origin);
    expect(await chat.whenClosed()).toMatchObject({ code: 4505 });
  });

  it('is valid once on all gateways of a log', async () => {
    const one = await start();
    const two = await start({ logFile: one.logFile });
    const token = await signToken();
    const ticket = await ticketFor(one.http('/events'), { token });
    await PlainClient.open(two.ws(`/events?ticket=${ticket}`), origin);
    // The other gateways hear of it a little later.
    await expect
      .poll(async () => {
        const client = new PlainClient(one.ws(`/events?ticket=${ticket}`), origin);
        return Promise.race([client.whenClosed().then(({ code }) => code), settled()]);
      })
      .toBe(4005);
  });

  it('is issued by one worker, and admits at any of them', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'secret.txt'), SECRET);
    const allow = [{ subscribe: 'user.{sub}.#' }];
    const configuration = {
      exchanges: ['events'],
      auth: { issuers: [{ issuer: ISSUER, secretFile: 'secret.txt' }] },
      websocket: { allowedOrigins: [PAGE], routes: { events: { path: '/events', allow } } },
    };
    writeFileSync(join(cwd, 'pregon.yml'), JSON.stringify(configuration));
    const workers = await Workers.start({ cwd, flags: [] });
    const token = await signToken();
    for (let n = 0; n < 8; n++) {
      const headers = { Connection: 'close' };
      const ticket = await ticketFor(workers.url('http', '/events'), { token, headers });
      const client = await PlainClient.open(workers.url('ws', `/events?ticket=${ticket}`), origin);
      client.socket.terminate();
    }
  });

  it('needs the same secret on all gateways', async () => {
    const one = await start({ secret: 'a secret of the operator' });
    const two = await start({ secret: 'a secret of the operator' });
    const three = await start();
    const open = (gateway: TestGateway, ticket: string) =>
      new PlainClient(gateway.ws(`/events?ticket=${ticket}`), origin);
    const token = await signToken();
    await open(two, await ticketFor(one.http('/events'), { token })).opened();
    const foreign = open(three, await ticketFor(one.http('/events'), { token }));
    expect(await foreign.whenClosed()).toMatchObject({ code: 4505 });
  });
});

describe('[H-04] On a server of the application', () => {
  it('tickets are issued beside its own paths, also over HTTP/2, and are in no header', async () => {
    const tls = (file: string) => readFileSync(new URL(`../../support/tls/${file}`, import.meta.url));
    const server = createSecureServer({ cert: tls('cert.pem'), key: tls('key.pem') }, (request, response) =>
      response.end(`the application at ${request.url}`),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const seen: string[] = [];
    const handlers: RouteHandlers = {
      opened: ({ request }) => seen.push(JSON.stringify([request.url, request.headers])),
    };
    const gateway = await attachGateway(server, {
      log: `sqlite:${temporaryFolder()}/log.db`,
      auth: AUTH,
      allowedOrigins: [PAGE],
      routes: { events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }], handlers: [handlers] } },
    });
    const session = connect(`https://127.0.0.1:${Reflect.get(Object(server.address()), 'port')}`, {
      rejectUnauthorized: false,
    });
    afterTest(async () => {
      session.destroy();
      await gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
      server.close();
    });
    const ask = async (headers: Record<string, string>, until: string) => {
      const stream = session.request({ origin: PAGE, ...headers });
      stream.end();
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) {
        text += chunk;
        if (text.includes(until)) break;
      }
      return text;
    };
    const authorization = `Bearer ${await signToken()}`;
    const answer = await ask({ ':method': 'POST', ':path': '/events/tickets', authorization }, '}');
    const { ticket }: { ticket: string } = JSON.parse(answer);
    const stream = { ':path': `/events?ticket=${ticket}&since=first`, accept: 'text/event-stream' };
    expect(await ask(stream, 'event: subscribed')).toContain('event: subscribed');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toContain('/events?since=first');
    expect(seen[0]).not.toContain(ticket.slice(0, 20));
    const own = await ask({ ':path': '/users/tickets?ticket=of-the-application' }, 'at');
    expect(own).toBe('the application at /users/tickets?ticket=of-the-application');
  });
});

describe('[H-04] A route', () => {
  it('cannot have the path at which clients of another one get tickets', async () => {
    const routes: GatewayOptions['routes'] = {
      events: { path: '/events', access: 'public' },
      tickets: { path: '/events/tickets', access: 'public' },
    };
    await expect(start({ routes })).rejects.toThrow('routes.tickets.path is where clients get tickets');
    const gateway = await startGateway({ routes: { events: { path: '/events' }, other: { path: '/events/tickets' } } });
    await PlainClient.open(gateway.ws('/events/tickets?ticket=of-the-application'));
  });
});

function settled(): Promise<'open'> {
  return new Promise((resolve) => setTimeout(resolve, 500, 'open'));
}
