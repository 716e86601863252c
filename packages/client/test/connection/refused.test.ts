import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Fetch } from '../../src/reach/ask.js';
import { harness } from '../support/harness.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

const url = 'ws://localhost:1234/events?token=secret';

/** Answers every request in the same way, and counts the requests. */
function answering(answer: (options: RequestInit) => Response) {
  const asked: [url: string, options: RequestInit][] = [];
  const fetch: Fetch = async (target, options) => {
    asked.push([target, options]);
    return answer(options);
  };
  return { asked, fetch };
}

function problem(status: number, title: string): Response {
  return new Response(JSON.stringify({ status, title }), {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  });
}

function nothing(): never {
  throw new TypeError('Failed to fetch');
}

const REFUSALS: [status: number, code: string, message: RegExp][] = [
  [401, 'FORBIDDEN', /\(401: no token\): sign in again/],
  [403, 'FORBIDDEN', /\(403: no token\): is the page's origin in the gateway's allowedOrigins\?/],
  [404, 'ROUTE_UNKNOWN', /\(404: no token\): is the path that of a route\?/],
  [400, 'CONFIG_INVALID', /\(400: no token\)/],
  [410, 'CONFIG_INVALID', /\(410: no token\)/],
  [200, 'CONFIG_INVALID', /\(200: no token\): is that the gateway/],
];

describe('an attempt whose failure the platform does not explain', () => {
  it.each(REFUSALS)(
    '[fault G2] is refused if the HTTP status is %i, and says what to do',
    async (status, code, message) => {
      const { asked, fetch } = answering(() => problem(status, 'no token'));
      const { client, clock, sockets, errors, changes, last } = await harness({ url, fetch });
      const users = client.collection({ key: 'id', change: () => undefined });
      last.lose();
      await clock.advance(0);
      expect(asked.map(([target]) => target)).toEqual(['http://localhost:1234/events?token=secret']);
      expect(client.state).toBe('refused');
      expect(client.lastError).toMatchObject({ code, retryable: false, message: expect.stringMatching(message) });
      expect(client.lastError?.message).toMatch(/^ws:\/\/localhost:1234\/events /);
      expect(client.lastError?.message).not.toContain('secret');
      expect(errors).toEqual([client.lastError]);
      expect(users.lastError).toBe(client.lastError);
      await expect(users.ready).rejects.toBe(client.lastError);
      expect(changes.at(-1)).toEqual({ state: 'refused', retryAt: client.retryAt, reason: client.lastError?.message });
      // The answer may come from a proxy: the client tries again from time to time, and may then succeed.
      await clock.advance(29_999);
      expect(sockets).toHaveLength(1);
      await clock.advance(15_001);
      expect(sockets).toHaveLength(2);
      sockets[1]?.welcome();
      expect(client.state).toBe('catching-up');
      expect(sockets[1]?.subscribes).toHaveLength(1);
    },
  );

  it('[fault G2] is also refused by a status without readable details', async () => {
    const headers = { 'Content-Type': 'application/problem+json' };
    for (const body of ['no JSON', 'null', '{"title":7}', null]) {
      const { fetch } = answering(() => new Response(body, { status: 404, headers }));
      const { client, clock, last } = await harness({ url, fetch });
      client.on('error', () => {});
      last.lose();
      await clock.advance(0);
      expect([client.state, client.lastError?.code]).toEqual(['refused', 'ROUTE_UNKNOWN']);
    }
  });

  const passing: [string, () => Response, RegExp][] = [
    ['nothing answers', nothing, /^ws:\/\/localhost:1234\/events cannot be reached: is the gateway running there\?$/],
    ['a proxy has no gateway', () => problem(502, 'Bad Gateway'), /cannot be used for now \(502: Bad Gateway\)$/],
    ['the gateway goes away', () => new Response('', { status: 503 }), /cannot be used for now \(503\)$/],
    ['there are too many requests', () => new Response('', { status: 429 }), /cannot be used for now \(429\)$/],
    ['the URL is a route after all', () => problem(426, 'by WebSocket'), /does a proxy pass WebSocket upgrades on\?$/],
  ];
  it.each(passing)('[fault G2] is repeated, and reports why, if %s', async (_, answer, message) => {
    const { asked, fetch } = answering(answer);
    const { client, clock, sockets, changes, errors, last } = await harness({ url, fetch });
    last.lose();
    await clock.advance(0);
    expect(client.state).toBe('waiting');
    expect(client.lastError).toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
    expect(changes.at(-1)).toEqual({ state: 'waiting', retryAt: client.retryAt, reason: client.lastError?.message });
    expect(client.lastError?.message).toMatch(message);
    expect(errors).toEqual([]);
    for (let i = 0; i < 6; i++) {
      await clock.advance((client.retryAt ?? 0) - clock.now());
      sockets.at(-1)?.lose();
    }
    expect(sockets).toHaveLength(7);
    expect(client.lastError?.message).toMatch(message);
    expect(changes.at(-1)?.reason).toMatch(message);
    // The client makes at most one request in 10 s.
    expect(asked).toHaveLength(1);
  });

  it('[fault G2] is refused if the page may not read the answer, unless the client was connected before', async () => {
    vi.stubGlobal('location', new URL('https://shop.example/'));
    const { fetch, asked } = answering(({ mode }) => (mode === 'no-cors' ? new Response('') : nothing()));
    const stranger = await harness({ url, fetch });
    stranger.last.lose();
    await stranger.clock.advance(0);
    expect(stranger.client.state).toBe('refused');
    expect(stranger.client.lastError).toMatchObject({
      code: 'FORBIDDEN',
      message:
        "ws://localhost:1234/events answers, but not to this page: is the page's origin in the gateway's allowedOrigins?",
    });
    expect(asked).toHaveLength(2);
    const known = await harness({ url, fetch });
    (await known.online()).lose();
    await known.clock.advance(750);
    known.last.lose();
    await known.clock.advance(0);
    expect(known.client.state).toBe('waiting');
  });

  it.each([
    ['404 of a proxy', 'waiting', 'CONNECTION_LOST', () => new Response('404 page not found', { status: 404 })],
    ['a page of a proxy', 'waiting', 'CONNECTION_LOST', () => new Response('<h1>Back soon</h1>')],
    ['404 of the gateway', 'refused', 'ROUTE_UNKNOWN', () => problem(404, 'no such path')],
    ['401', 'refused', 'FORBIDDEN', () => new Response('', { status: 401 })],
  ] as const)(
    '[fault G6] of a client that was admitted before, if the answer is %s, leads to %s',
    async (_, state, code, answer) => {
      const { client, clock, sockets, online } = await harness({ url, fetch: answering(answer).fetch });
      client.on('error', () => {});
      (await online()).lose();
      await clock.advance(750);
      sockets.at(-1)?.lose();
      await clock.advance(0);
      expect([sockets.length, client.state, client.lastError?.code]).toEqual([2, state, code]);
    },
  );

  it('[fault G2] is refused even if the answer comes during the next attempt', async () => {
    let answer = (_: Response) => {};
    const fetch: Fetch = () => new Promise((resolve) => (answer = resolve));
    const { client, clock, sockets, last } = await harness({ url, fetch });
    last.lose();
    await clock.advance(1_000);
    expect(client.state).toBe('connecting');
    answer(problem(404, 'no such path'));
    await clock.advance(0);
    expect([client.state, client.lastError?.code, sockets[1]?.closedWith]).toEqual(['refused', 'ROUTE_UNKNOWN', 1000]);
  });

  it('[fault G2] causes no request after a welcome or close(), and waits at most 5 s for an answer', async () => {
    const signals: AbortSignal[] = [];
    const fetch: Fetch = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        if (!signal) throw new TypeError('no signal');
        signals.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const first = await harness({ url, fetch });
    first.last.lose();
    await first.clock.advance(750);
    first.last.welcome();
    expect([signals[0]?.aborted, first.client.state]).toEqual([true, 'online']);
    const second = await harness({ url, fetch });
    second.last.lose();
    second.client.close();
    expect([signals[1]?.aborted, second.clock.pending]).toEqual([true, 0]);
    const third = await harness({ url, fetch });
    third.last.lose();
    await third.clock.advance(5_000);
    expect([signals[2]?.aborted, third.errors]).toEqual([true, []]);
  });

  it('[fault G2] causes no request if the connection was open before, or if a custom WebSocket reports why', async () => {
    const { asked, fetch } = answering(() => problem(404, 'x'));
    const { clock, online } = await harness({ url, fetch });
    (await online()).lose();
    await clock.advance(100);
    expect(asked).toEqual([]);
    const stubbed = vi.fn();
    vi.stubGlobal('fetch', stubbed);
    const { last, clock: other } = await harness({ url });
    last.lose();
    await other.advance(100);
    expect(stubbed).not.toHaveBeenCalled();
  });
});

describe('an attempt whose HTTP status the ws package reports', () => {
  it.each([
    [403, 'refused', 'FORBIDDEN'],
    [404, 'refused', 'ROUTE_UNKNOWN'],
    [401, 'refused', 'FORBIDDEN'],
    [200, 'refused', 'CONFIG_INVALID'],
    [502, 'waiting', 'CONNECTION_LOST'],
    [503, 'waiting', 'CONNECTION_LOST'],
  ])('[fault G2] with the status %i leads to %s', async (status, state, code) => {
    const { client, last } = await harness({ url });
    last.emit({ type: 'error', message: `Unexpected server response: ${status}` });
    last.lose();
    expect([client.state, client.lastError?.code]).toEqual([state, code]);
    expect(client.lastError?.message).toContain(`(${status})`);
  });

  it('[fault G6] is soon repeated by a client that was admitted before, since a proxy answers 404 while its gateway is away', async () => {
    const { client, clock, sockets, online } = await harness({ url });
    (await online()).lose();
    await clock.advance(750);
    sockets.at(-1)?.emit({ type: 'error', message: 'Unexpected server response: 404' });
    sockets.at(-1)?.lose();
    expect([client.state, client.lastError?.code]).toEqual(['waiting', 'CONNECTION_LOST']);
    expect((client.retryAt ?? 0) - clock.now()).toBeLessThan(2_000);
  });

  it('[fault G2] is repeated by connectNow, and when the page becomes visible', async () => {
    const { client, clock, network, sockets, last } = await harness({ url });
    const refuse = () => {
      sockets.at(-1)?.emit({ type: 'error', message: 'Unexpected server response: 403' });
      sockets.at(-1)?.lose();
    };
    expect(last).toBe(sockets[0]);
    for (const again of [() => client.connectNow(), () => network.wake(), () => network.go(true)]) {
      refuse();
      expect(client.state).toBe('refused');
      again();
      await clock.advance(0);
      expect(client.state).toBe('connecting');
    }
    expect(sockets).toHaveLength(4);
    client.close();
    expect([client.state, clock.pending]).toEqual(['closed', 0]);
  });
});

describe('lastError', () => {
  it('[fault G2] is set for each way to lose a connection, and stays when the client is online again', async () => {
    const { client, clock, online, last } = await harness({ connectTimeoutMs: 4_000 });
    expect(client.lastError).toBeUndefined();
    await clock.advance(4_000);
    expect(last.closedWith).toBe(1000);
    const message =
      'ws://localhost:1234/events cannot be reached: is the gateway running there? (no welcome within 4000 ms)';
    expect(client.lastError).toMatchObject({ code: 'CONNECTION_LOST', message });
    await clock.advance(1_000);
    const socket = await online();
    expect(client.lastError).toMatchObject({ message });
    socket.lose(1012);
    expect(client.lastError).toMatchObject({ code: 'CONNECTION_LOST', message: 'the connection ended (1012)' });
    await clock.advance(1_000);
    const next = await online();
    next.deliverText('no JSON');
    expect(client.lastError).toMatchObject({ code: 'FRAME_INVALID' });
  });

  it('[fault G2] is set before the listeners get the state', async () => {
    const { client, last } = await harness();
    const seen: unknown[] = [];
    client.on('state', () => seen.push(client.lastError?.code));
    last.lose(4504);
    expect(seen).toEqual(['FORBIDDEN']);
  });
});
