import { type Client, type ClientOptions, createClient, type PregonEvent } from '@pregon/client';
import type { GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ISSUER, SECRET, type SignOptions, signToken, type TokenClaims } from '../../support/access/tokens.js';
import { afterTest } from '../../support/cleanup.js';
import { numberOf, startGateway, type TestGateway } from '../../support/gateway/gateway.js';

const AUTH: NonNullable<GatewayOptions['auth']> = { issuers: [{ issuer: ISSUER, secret: SECRET }], leewayMs: 0 };

const NO_FETCH = { WebSocket } satisfies Partial<ClientOptions>;

const read = async ({ topics }: { topics: readonly string[] }) => ({ rows: topics.map((id) => ({ id })), sequence: 0 });

function start(): Promise<TestGateway> {
  const rooms = { subscribe: 'room.{room}.#' };
  return startGateway({
    auth: AUTH,
    routes: {
      events: { path: '/events', allow: [rooms], snapshot: { per: 'rights', read } },
      news: { path: '/news', allow: [rooms, { subscribe: 'public.#', who: 'anyone' }] },
    },
  });
}

/** A page with a session: what its next token says, and how often it was asked. */
class Page {
  claims: TokenClaims | undefined;
  sign: SignOptions;
  asked = 0;
  readonly client: Client;
  readonly states: string[] = [];
  readonly errors: string[] = [];

  constructor({ ws }: TestGateway, path: string, claims?: TokenClaims, sign: SignOptions = {}) {
    this.claims = claims;
    this.sign = sign;
    this.client = createClient({
      ...NO_FETCH,
      url: ws(path),
      token: async () => {
        this.asked += 1;
        return this.claims && signToken(this.claims, this.sign);
      },
    });
    afterTest(() => this.client.close());
    this.client.on('state', ({ state }) => this.states.push(state));
    this.client.on('error', ({ code }) => this.errors.push(code));
  }

  until(state: string): Promise<void> {
    return expect.poll(() => this.client.state, { timeout: 60_000 }).toBe(state);
  }

  collect(): PregonEvent[] {
    const events: PregonEvent[] = [];
    this.client.subscribe({ onEvent: (event) => events.push(event) });
    return events;
  }
}

describe('[H-04] [H-05] A page with @pregon/client', () => {
  it('stays connected beyond the expiry of its tokens: each is renewed in place', async () => {
    const gateway = await start();
    const page = new Page(gateway, '/events', { room: 'a' }, { expiresInS: 2 });
    const events = page.collect();
    await page.until('online');
    const id = page.client.connectionId;
    await expect.poll(() => page.asked, { timeout: 60_000 }).toBeGreaterThan(4);
    await gateway.append(1, { topic: () => 'room.a.x' });
    await expect.poll(() => events.length).toBe(1);
    expect([page.client.connectionId, page.errors]).toEqual([id, []]);
  });

  it('comes back with a new token if it could not renew in time, and misses nothing', async () => {
    const gateway = await start();
    const page = new Page(gateway, '/events', { room: 'a' }, { expiresInS: 3 });
    const events = page.collect();
    await page.until('online');
    // Until the token has expired, the application signs a wrong one.
    page.sign = { secret: `another ${SECRET}` };
    await expect.poll(() => page.errors, { timeout: 60_000 }).toContain('UNAUTHORIZED');
    const append = async () => gateway.append(10, { topic: () => 'room.a.x' });
    await append();
    await page.until('unauthorized');
    await append();
    page.sign = {};
    await page.client.authorize();
    await append();
    await expect.poll(() => events.length).toBe(30);
    expect(events.map(numberOf)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
  });

  it('signs in and out in place, and its subscription follows', async () => {
    const gateway = await start();
    const page = new Page(gateway, '/news');
    const events = page.collect();
    await page.until('online');
    const id = page.client.connectionId;
    const topics = ['public.1', 'room.a.x'];
    const append = async (count: number) => {
      await gateway.append(2, { topic: (n) => topics[(n - 1) % 2] ?? '' });
      await expect.poll(() => events.length).toBe(count);
    };
    await append(1);
    page.claims = { room: 'a' };
    await page.client.authorize();
    await append(3);
    page.claims = undefined;
    await page.client.authorize();
    await append(4);
    expect([page.client.connectionId, page.errors]).toEqual([id, []]);
  });

  it('changes the user: it connects again, and each user gets the own topics only', async () => {
    const gateway = await start();
    const page = new Page(gateway, '/events', { sub: 'ada', room: 'a' });
    const events = page.collect();
    await page.until('online');
    page.claims = { sub: 'eve', room: 'b' };
    const [ada] = gateway.gateway.connections('events');
    await page.client.authorize();
    await expect
      .poll(() => [...gateway.gateway.connections('events')].map(({ identity }) => identity?.sub))
      .toEqual(['eve']);
    await page.until('online');
    expect(ada?.isOpen).toBe(false);
    const topics = ['room.a.x', 'room.b.x'];
    await gateway.append(2, { topic: (n) => topics[n - 1] ?? '' });
    await expect.poll(() => events.map(({ topic }) => topic)).toEqual(['room.b.x']);
  });

  it('[I-6] has no rows of former rights in a collection, whether the connection stays or not', async () => {
    const gateway = await start();
    const page = new Page(gateway, '/events', { sub: 'ada', room: 'a' });
    const rooms = page.client.collection({ key: 'id', change: () => undefined });
    const resets: string[] = [];
    rooms.observe({ reset: (reason) => resets.push(reason) });
    const holds = (...rows: string[]) => expect.poll(() => [...rooms.keys()]).toEqual(rows);
    await holds('room.a.#');
    page.claims = { sub: 'ada', room: 'b' };
    await page.client.authorize();
    await holds('room.b.#');
    page.claims = { sub: 'eve', room: 'c' };
    await page.client.authorize();
    await holds('room.c.#');
    expect(rooms.state).toBe('live');
    // A connection that comes back with the same rights reads no snapshot.
    const [connection] = gateway.gateway.connections('events');
    connection?.close({ code: 4000, reason: 'draining', reconnect: true });
    await expect
      .poll(() => [...gateway.gateway.connections('events')].some((other) => other !== connection))
      .toBe(true);
    await page.until('online');
    expect(resets).toEqual(['rights', 'rights']);
  });

  it.each<[name: string, claims: TokenClaims | undefined, sign: SignOptions, state: string, reason: string]>([
    ['nobody has signed in', undefined, {}, 'unauthorized', 'a token is needed here'],
    ['its token is forged', { room: 'a' }, { secret: `another ${SECRET}` }, 'unauthorized', 'signature'],
    ['its user may do nothing', {}, {}, 'forbidden', 'this identity may do nothing here'],
  ])('makes one attempt, and says why, if %s', async (_, claims, sign, state, reason) => {
    const gateway = await start();
    const page = new Page(gateway, '/events', claims, sign);
    await page.until(state);
    expect(page.client.lastError?.message).toContain(reason);
    expect([page.asked, page.states, page.client.retryAt]).toEqual([1, [state], undefined]);
  });

  it('is unauthorized after signing out, where only users get in, until it signs in', async () => {
    const gateway = await start();
    const page = new Page(gateway, '/events', { room: 'a' });
    await page.until('online');
    page.claims = undefined;
    await page.client.authorize().catch(() => {});
    await page.until('unauthorized');
    page.claims = { room: 'a' };
    await page.client.authorize();
    await page.until('online');
  });
});
