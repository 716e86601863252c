import { isEvent } from '@pregon/protocol';
import type { GatewayOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, type SignOptions, signToken, type TokenClaims } from '../../support/access/tokens.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { numberOf, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { byLength } from '../../support/long.js';

const AUTH: NonNullable<GatewayOptions['auth']> = { issuers: [{ issuer: ISSUER, secret: SECRET }] };

const ROOMS = [{ subscribe: 'room.{room}.#' }, { subscribe: 'extra.#', if: { role: 'admin' } }] as const;

function start(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  return startGateway({
    auth: AUTH,
    routes: {
      events: { path: '/events', allow: ROOMS },
      news: { path: '/news', allow: [{ subscribe: 'public.#', who: 'anyone' }, ...ROOMS] },
    },
    ...options,
  });
}

/** A client whose token is in the header of the handshake. */
async function identified(gateway: TestGateway, claims: TokenClaims, options?: SignOptions): Promise<FramesClient> {
  const headers = { Authorization: `Bearer ${await signToken(claims, options)}` };
  return FramesClient.open(gateway.ws('/events'), { headers });
}

function show(client: FramesClient, token: string | null, id = 1_000): ReturnType<FramesClient['answer']> {
  return client.answer({ op: 'auth', id, token });
}

function topicsOf(client: FramesClient, id: number): string[] {
  return client.events(id).map(({ topic }) => topic);
}

describe('[H-05] On an open connection, the token of an auth frame', () => {
  it('renews the rights of the same identity: subscriptions go on, and the answer has the new expiry', async () => {
    const gateway = await start();
    const client = await identified(gateway, { room: 'a' }, { expiresInS: 60 });
    await client.subscribe({ id: 1 });
    await gateway.append(1, { topic: () => 'room.a.x' });
    const answer = await show(client, await signToken({ room: 'a' }, { expiresInS: 600 }));
    expect(answer).toEqual({ op: 'authorized', id: 1_000, sub: 'ada', expiresInMs: expect.any(Number) });
    expect(Reflect.get(answer, 'expiresInMs')).toBeGreaterThan(500_000);
    await gateway.append(1, { topic: () => 'room.a.x' });
    expect(await client.numbers(1, 2)).toEqual([1, 2]);
    expect(client.controls('subscribed')).toHaveLength(1);
  });

  it('keeps the connection open beyond the expiry of the first token', async () => {
    const gateway = await start({ auth: { ...AUTH, leewayMs: 0 } });
    const client = await identified(gateway, { room: 'a' }, { expiresInS: 3 });
    await client.subscribe({ id: 1 });
    const other = await identified(gateway, { room: 'a' }, { expiresInS: 3 });
    expect(await client.control('expiring')).toEqual({ op: 'expiring', inMs: expect.any(Number) });
    expect(await show(client, await signToken({ room: 'a' }))).toMatchObject({ op: 'authorized' });
    expect((await other.whenClosed()).code).toBe(4005);
    await gateway.append(1, { topic: () => 'room.a.x' });
    expect(await client.numbers(1, 1)).toEqual([1]);
  });

  it('is not asked for again and again, if the client shows the same one', async () => {
    const gateway = await start({ auth: { ...AUTH, leewayMs: 0 } });
    const token = await signToken({ room: 'a' }, { expiresInS: 3 });
    const headers = { Authorization: `Bearer ${token}` };
    const client = await FramesClient.open(gateway.ws('/events'), { headers });
    await client.control('expiring');
    expect(await show(client, token)).toMatchObject({ op: 'authorized' });
    expect((await client.whenClosed()).code).toBe(4005);
    expect(client.controls('expiring')).toHaveLength(1);
  });

  it('changes all that "everything" means, and ends what is no longer allowed with FORBIDDEN', async () => {
    const gateway = await start();
    const client = await identified(gateway, { room: 'a', role: 'admin' });
    await client.subscribe({ id: 1 });
    await client.subscribe({ id: 2, topics: ['room.a.x'] });
    await client.subscribe({ id: 3, topics: ['extra.#'] });
    expect(await show(client, await signToken({ room: 'b', role: 'admin' }))).toMatchObject({ op: 'authorized' });
    const [lost, ...more] = client.controls('error');
    expect(lost).toMatchObject({ id: 2, code: 'FORBIDDEN', retryable: false });
    expect(more).toEqual([]);
    const topics = ['room.a.x', 'room.b.x', 'extra.1'];
    await gateway.append(3, { topic: (n) => topics[n - 1] ?? '' });
    await client.numbers(1, 2);
    await client.numbers(3, 1);
    expect([topicsOf(client, 1), topicsOf(client, 2), topicsOf(client, 3)]).toEqual([
      ['room.b.x', 'extra.1'],
      [],
      ['extra.1'],
    ]);
    expect(await client.subscribe({ id: 4, topics: ['room.a.#'] })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await client.subscribe({ id: 2, topics: ['room.b.#'] })).toMatchObject({ op: 'subscribed' });
  });

  it.each<[name: string, token: () => Promise<string>, code: string]>([
    ['is forged', () => signToken({ room: 'b' }, { secret: `another ${SECRET}` }), 'UNAUTHORIZED'],
    ['is no token', async () => 'nonsense', 'UNAUTHORIZED'],
    ['is empty', async () => '', 'UNAUTHORIZED'],
    ['has expired', () => signToken({ room: 'b' }, { expiresInS: -60 }), 'TOKEN_EXPIRED'],
    ['grants nothing', () => signToken({}), 'FORBIDDEN'],
    ['belongs to another identity', () => signToken({ sub: 'eve', room: 'b' }), 'FORBIDDEN'],
  ])('is refused with an error if it %s, and the connection keeps what it had', async (_, token, code) => {
    const gateway = await start();
    const client = await identified(gateway, { room: 'a' });
    await client.subscribe({ id: 1 });
    expect(await show(client, await token())).toMatchObject({ op: 'error', id: 1_000, code, retryable: false });
    const topics = ['room.b.x', 'room.a.x'];
    await gateway.append(2, { topic: (n) => topics[n - 1] ?? '' });
    await client.numbers(1, 1);
    expect(topicsOf(client, 1)).toEqual(['room.a.x']);
  });

  it('is one of a few: a client that sends many is told to wait, and closed if it goes on', async () => {
    const gateway = await start({ maxFramesPerSecond: 0 });
    const client = await identified(gateway, { room: 'a' });
    const token = await signToken({ room: 'a' });
    for (let id = 1; id <= 10; id++) expect(await show(client, token, id)).toMatchObject({ op: 'authorized' });
    expect(await show(client, token, 11)).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
    const flood = setInterval(() => {
      for (let n = 0; n < 500; n++) client.sendText(JSON.stringify({ op: 'auth', token }));
    }, 10);
    expect((await client.whenClosed().finally(() => clearInterval(flood))).code).toBe(4006);
  });

  it.each([
    ['has no token', {}],
    ['has a number as token', { token: 7 }],
    ['has an object as token', { token: {} }],
  ])('is refused with FRAME_INVALID if the frame %s', async (_, members) => {
    const gateway = await start();
    const client = await identified(gateway, { room: 'a' });
    expect(await client.ask(JSON.stringify({ op: 'auth', id: 1, ...members }), 'error')).toMatchObject({
      id: 1,
      code: 'FRAME_INVALID',
    });
  });
});

describe('[H-04] [H-05] On a route where anonymous clients may read something,', () => {
  it('a token signs in in place, null signs out, and topics follow', async () => {
    const gateway = await start();
    const client = await FramesClient.open(gateway.ws('/news'));
    await client.subscribe({ id: 1 });
    const topics = ['public.1', 'room.a.x'];
    const append = async (count: number) => {
      await gateway.append(2, { topic: (n) => topics[(n - 1) % 2] ?? '' });
      await client.numbers(1, count);
    };
    await append(1);
    expect(await show(client, await signToken({ room: 'a' }))).toMatchObject({ sub: 'ada' });
    await append(3);
    expect(await show(client, null)).toEqual({ op: 'authorized', id: 1_000 });
    await append(4);
    expect(topicsOf(client, 1)).toEqual(['public.1', 'public.1', 'room.a.x', 'public.1']);
    expect(await show(client, await signToken({ sub: 'eve', room: 'b' }))).toMatchObject({ sub: 'eve' });
  });

  it('frames behind an auth frame are handled under its rights', async () => {
    const gateway = await start();
    const client = await FramesClient.open(gateway.ws('/news'));
    client.send({ op: 'auth', token: await signToken({ room: 'a' }) });
    expect(await client.subscribe({ id: 1, topics: ['room.a.#'] })).toMatchObject({ op: 'subscribed' });
    client.send({ op: 'auth', token: null });
    expect(await client.subscribe({ id: 2, topics: ['room.a.#'] })).toMatchObject({ op: 'error', code: 'FORBIDDEN' });
  });

  it('a bad token in the first frame refuses the client: it is not treated as anonymous', async () => {
    const gateway = await start();
    const codes = [];
    for (const token of ['nonsense', await signToken({}, { expiresInS: -60 })]) {
      const client = await FramesClient.open(gateway.ws('/news'));
      client.send({ op: 'auth', token });
      codes.push((await client.whenClosed()).code);
    }
    expect(codes).toEqual([4505, 4005]);
  });
});

describe('Without auth,', () => {
  it('an auth frame is answered, and changes nothing: the same page works with and without tokens', async () => {
    const gateway = await startGateway();
    const client = await FramesClient.open(gateway.ws('/events'));
    expect(await show(client, 'any token')).toEqual({ op: 'authorized', id: 1_000 });
    await client.subscribe({ id: 1 });
    await gateway.append(1);
    expect(await client.numbers(1, 1)).toEqual([1]);
  });
});

describe('[I-9] Whoever signs out', () => {
  it('is closed with 4505, if anonymous clients have no rights, and gets nothing more', async () => {
    const gateway = await start();
    const client = await identified(gateway, { room: 'a' });
    await client.subscribe({ id: 1 });
    client.send({ op: 'auth', token: null });
    await gateway.append(1, { topic: () => 'room.a.x' });
    expect((await client.whenClosed()).code).toBe(4505);
    expect(client.events(1)).toEqual([]);
  });

  it('is not signed in again by the cookie or the header of the handshake', async () => {
    const gateway = await start({ auth: { ...AUTH, verify: ({ headers }) => sessionOf(headers.cookie) } });
    const client = await FramesClient.open(gateway.ws('/news'), { headers: { Cookie: 'session=1' } });
    expect(await show(client, null)).toEqual({ op: 'authorized', id: 1_000 });
    expect(await client.subscribe({ id: 1, topics: ['room.a.#'] })).toMatchObject({ code: 'FORBIDDEN' });
  });

  const sessionOf = (cookie = '') =>
    cookie === 'session=1' ? { iss: ISSUER, sub: 'ada', claims: { room: 'a' } } : undefined;
});

describe('[I-1] [I-2] [I-3] [I-11] While events flow,', () => {
  it('a refreshed token loses no event, repeats none, and shows none after its right is lost', async () => {
    const gateway = await start();
    const topics = ['room.a.1', 'extra.1', 'room.b.1'];
    let isFlowing = true;
    let sent = 0;
    const flow = (async () => {
      for (; isFlowing; sent += 30) await gateway.append(30, { topic: (n) => topics[n % 3] ?? '' });
    })();
    const count = byLength({ quick: 2, check: 6, long: 60 });
    const clients = await Promise.all(Array.from({ length: count }, () => refreshed(gateway)));
    isFlowing = false;
    await flow;
    for (const { client, turns } of clients) {
      await client.frames.until(() => numbersOf(client, 'room.a.1', 1).at(-1) === sent, 'the last event');
      await client.frames.until(() => numbersOf(client, 'room.a.1', 2).at(-1) === sent, 'the last event');
      for (const id of [1, 2]) {
        const seen = numbersOf(client, 'room.a.1', id);
        expect(seen).toEqual(Array.from({ length: seen.length }, (_, k) => (seen[0] ?? 0) + 3 * k));
      }
      expect(numbersOf(client, 'room.b.1', 2)).toEqual([]);
      for (const [k, { isAdmin, at }] of turns.entries()) {
        const everything = new Set(client.events(2));
        const frames = client.frames.all.slice(at, turns[k + 1]?.at);
        const span = frames.filter(isEvent).filter((event) => everything.has(event));
        const [common, extra] = ['room.a.1', 'extra.1'].map((topic) =>
          span.filter((event) => event.topic === topic).map(numberOf),
        );
        if (!isAdmin) expect(extra).toEqual([]);
        else {
          const [first = 0, last = 0] = [common?.[1], common?.at(-2)];
          // Numbers next to the refresh may be on either side of it.
          const within = (n: number) => n > first && n < last;
          const due = Array.from({ length: (last - first) / 3 }, (_, step) => first + 3 * step + 1);
          expect(extra?.filter(within)).toEqual(due);
        }
      }
    }
  });

  /** A client that shows eight tokens in turn, with and without the right to the extra topics. */
  async function refreshed(gateway: TestGateway) {
    const client = await identified(gateway, { room: 'a', role: 'admin' });
    await client.subscribe({ id: 1, topics: ['room.a.#'] });
    await client.subscribe({ id: 2 });
    const turns = [{ isAdmin: true, at: 0 }];
    for (let turn = 0; turn < 8; turn++) {
      const isAdmin = turn % 2 === 1;
      const seen = client.events(2).length;
      await client.frames.until(() => client.events(2).length > seen + 20, 'more events');
      const answer = await show(
        client,
        await signToken({ room: 'a', ...(isAdmin ? { role: 'admin' } : {}) }),
        100 + turn,
      );
      expect(answer.op).toBe('authorized');
      turns.push({ isAdmin, at: client.frames.all.findIndex((frame) => 'op' in frame && frame === answer) });
    }
    return { client, turns };
  }

  function numbersOf(client: FramesClient, topic: string, id: number): number[] {
    return client
      .events(id)
      .filter((event) => event.topic === topic)
      .map(numberOf);
  }
});
