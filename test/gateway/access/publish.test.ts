import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken, type TokenClaims } from '../../support/access/tokens.js';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { startPregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const PORT_TOKEN = 'the-token-of-the-port';

const RULES = [
  { publish: 'user.{sub}.#', exchange: 'chat' },
  { publish: 'order.#', source: '/shop', if: { role: 'shop' } },
];

interface Publishing {
  /** The URL of the HTTP port. */
  readonly base: string;
  publish(place: string, options?: PublishRequest): Promise<Response>;
  /** The topics of the log so far. */
  topics(): Promise<string[]>;
}

interface PublishRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly source?: string;
  readonly type?: string;
  readonly query?: string;
}

interface StartOptions {
  readonly allow?: readonly object[];
  readonly token?: string;
  readonly limits?: object;
}

/** `pregon run` with an HTTP port and these rules of two routes. */
async function start({ allow = RULES, token = PORT_TOKEN, limits = {} }: StartOptions = {}) {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'secret.txt'), SECRET);
  const configuration = {
    log: 'sqlite:log.db',
    exchanges: ['chat', 'shop'],
    auth: { issuers: [{ issuer: ISSUER, secretFile: 'secret.txt' }], cookie: 'session' },
    websocket: {
      allowedOrigins: ['https://shop.example'],
      ...limits,
      routes: {
        events: { path: '/events', allow: [{ subscribe: '#' }] },
        publishers: { path: '/publishers', allow },
      },
    },
    http: { port: 0, ...(token === '' ? {} : { token }) },
  };
  writeFileSync(join(cwd, 'pregon.yml'), JSON.stringify(configuration));
  const running = startPregon(['run', '127.0.0.1:0'], { cwd });
  const [, base = ''] = await running.until(/http +(http:\S+)/);
  const publishing: Publishing = {
    base,
    publish: (place, { headers = {}, source, query = '' } = {}) =>
      fetch(`${base}/publish/${place}${query}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify({ type: 'ThingWasDone', ...(source === undefined ? {} : { source }) }),
      }),
    async topics() {
      const log = await openLog(`sqlite:${join(cwd, 'log.db')}`);
      afterTest(() => log.close());
      const { entries } = await log.read({ after: 0 });
      return entries.map(({ topic }) => topic);
    },
  };
  return publishing;
}

async function bearer(claims: TokenClaims = {}, options: Parameters<typeof signToken>[1] = {}) {
  return { Authorization: `Bearer ${await signToken(claims, options)}` };
}

describe('[I-9] [H-04] Publishing over HTTP with a token of an issuer', () => {
  it('is allowed within the rules of the routes, by topic, exchange and source together', async () => {
    const { publish } = await start();
    const ada = await bearer({ sub: 'ada' });
    const shop = await bearer({ sub: 'shop', role: 'shop' });
    const statuses = await Promise.all([
      publish('chat/user.ada.wrote', { headers: ada }),
      publish('chat/user.grace.wrote', { headers: ada }),
      publish('shop/user.ada.wrote', { headers: ada }),
      publish('chat/order.1.paid', { headers: ada }),
      publish('shop/order.1.paid', { headers: shop, source: '/shop' }),
      publish('chat/order.1.paid', { headers: shop, source: '/shop' }),
      publish('shop/order.1.paid', { headers: shop, source: '/other' }),
      publish('shop/order.1.paid', { headers: shop }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([201, 403, 403, 403, 201, 201, 403, 403]);
  });

  it('says why it is refused, also before it looks for the exchange', async () => {
    const { publish } = await start();
    const ada = await bearer({ sub: 'ada' });
    const forbidden = await publish('nothing/user.grace.wrote', { headers: ada });
    expect(forbidden.status).toBe(403);
    expect(forbidden.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope"');
    expect(await forbidden.json()).toMatchObject({
      detail: 'this identity may not publish to user.grace.wrote of the exchange nothing',
    });
    const otherSource = await publish('shop/order.1.paid', { headers: await bearer({ role: 'shop' }), source: '/x' });
    expect(await otherSource.json()).toMatchObject({ detail: expect.stringContaining('with the source "/x"') });
  });

  it.each<[string, number, string, () => Promise<Record<string, string>>]>([
    ['no token', 401, 'Bearer', async () => ({})],
    ['an expired token', 401, 'error="invalid_token"', () => bearer({}, { expiresInS: -60 })],
    ['a token of another secret', 401, 'error="invalid_token"', () => bearer({}, { secret: `${SECRET}!` })],
    ['something else than a token', 401, 'error="invalid_token"', async () => ({ Authorization: 'Bearer x' })],
    [
      'a token in a cookie, which a page could make a browser send',
      401,
      'Bearer',
      async () => ({ Cookie: `session=${await signToken()}`, Origin: 'https://shop.example' }),
    ],
    ['a token that no rule allows', 403, 'error="insufficient_scope"', () => bearer({ sub: '#' })],
  ])('is refused with %s', async (_case, status, challenge, headers) => {
    const { publish, topics } = await start();
    const response = await publish('chat/user.ada.wrote', { headers: await headers() });
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toContain(challenge);
    expect(await topics()).toEqual([]);
  });

  it('is refused with a token in the URL', async () => {
    const { publish } = await start();
    const response = await publish('chat/user.ada.wrote', { query: `?access_token=${await signToken()}` });
    expect(response.status).toBe(400);
  });

  it('stands beside the token of the port, which may publish everything', async () => {
    const { publish } = await start();
    const headers = { Authorization: `Bearer ${PORT_TOKEN}` };
    expect((await publish('shop/anything', { headers })).status).toBe(201);
    const alone = await start({ token: '' });
    expect((await alone.publish('chat/user.ada.wrote', { headers: await bearer() })).status).toBe(201);
    expect((await alone.publish('shop/anything', { headers })).status).toBe(401);
  });

  it('[H-08] never locks out the token of the port, however many wrong tokens its address sends', async () => {
    const { publish } = await start({ limits: { maxFailedAuthenticationsPerMinute: 1, exemptAddresses: [] } });
    const guesses = Array.from({ length: 40 }, () => publish('shop/a', { headers: { Authorization: 'Bearer x' } }));
    expect((await Promise.all(guesses)).map(({ status }) => status)).toContain(429);
    const headers = { Authorization: `Bearer ${PORT_TOKEN}` };
    expect((await publish('shop/anything', { headers })).status).toBe(201);
  });

  it('[I-11] ends with the identity also while the body arrives', async () => {
    const { base, publish, topics } = await start();
    const ada = await bearer({ sub: 'ada' });
    const slow = httpRequest(`${base}/publish/chat/user.ada.slow`, {
      method: 'POST',
      headers: { ...ada, 'Content-Type': 'application/json', Expect: '100-continue' },
    });
    afterTest(() => void slow.destroy());
    const answered = once(slow, 'response');
    await once(slow, 'continue');
    slow.write('{"type":');
    // When this one is answered, the gateway has decided about the slow one, which came before it.
    expect((await publish('chat/user.ada.quick', { headers: ada })).status).toBe(201);
    const revoked = await fetch(`${base}/revocations`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${PORT_TOKEN}` },
      body: JSON.stringify({ iss: ISSUER, sub: 'ada' }),
    });
    expect(revoked.status).toBe(201);
    await eventually(
      async () => (await publish('chat/user.ada.late', { headers: ada })).status,
      (status) => status === 401,
    );
    slow.end('"ThingWasDone"}');
    const [response]: IncomingMessage[] = await answered;
    expect(response?.statusCode).toBe(401);
    expect(await topics()).not.toContain('user.ada.slow');
  });

  it('is off if no rule grants it, whatever else a token may do', async () => {
    const { publish } = await start({ allow: [{ subscribe: '#' }, { send: '*' }, { broadcast: true }] });
    expect((await publish('chat/user.ada.wrote', { headers: await bearer() })).status).toBe(401);
  });
});
