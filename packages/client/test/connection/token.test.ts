import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client.js';
import type { Token } from '../../src/options.js';
import { settle } from '../support/fake-clock.js';
import type { FakeSocket } from '../support/fake-socket.js';
import { harness } from '../support/harness.js';

/** A client whose token function returns `token-1`, `token-2`, and so on, or what the test sets. */
async function withTokens() {
  const tokens = { asked: 0, next: (n: number): Token | Promise<Token> => `token-${n}` };
  const made = await harness({
    token: () => {
      tokens.asked += 1;
      return tokens.next(tokens.asked);
    },
  });
  const opened = async () => {
    await settle();
    made.last.open();
    made.last.welcome();
    made.last.authorize();
    return made.last;
  };
  return { ...made, tokens, opened };
}

const refuse = (socket: FakeSocket, code: 'FORBIDDEN' | 'UNAUTHORIZED' | 'RATE_LIMITED', retryAfterMs?: number) => {
  const frame = socket.sent.findLast(({ op }) => op === 'auth');
  const id = frame && 'id' in frame ? frame.id : undefined;
  const about = { code, message: 'why', retryable: false, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  socket.deliver({ op: 'error', ...(id === undefined ? {} : { id }), ...about });
};

describe('[H-04] a client with a token', () => {
  it('shows it in the first frame, and asks for another one before each attempt', async () => {
    const { client, clock, opened } = await withTokens();
    client.subscribe({ onEvent: () => {} });
    const first = await opened();
    expect(first.sent.map(({ op }) => op)).toEqual(['auth', 'subscribe']);
    first.lose(4005, 'the token has expired');
    expect([client.state, client.lastError?.message]).toEqual(['waiting', 'the token has expired']);
    await clock.advance(2_000);
    const second = await opened();
    expect([first.tokens, second.tokens]).toEqual([['token-1'], ['token-2']]);
    expect(client.state).toBe('catching-up');
  });

  it.each([null, undefined])('shows that nobody has signed in, if the function returns %s', async (none) => {
    const { tokens, client, clock, opened, last } = await withTokens();
    last.lose();
    tokens.next = () => none;
    await clock.advance(2_000);
    expect((await opened()).tokens).toEqual([null]);
    expect(client.state).toBe('online');
  });

  it('stops with the reason if the gateway needs another token, until authorize() is called', async () => {
    const { client, clock, network, sockets, tokens, opened } = await withTokens();
    await settle();
    sockets[0]?.open();
    sockets[0]?.lose(4505, 'a token is needed here');
    network.wake();
    await clock.advance(600_000);
    expect([client.state, client.lastError?.code, sockets.length]).toEqual(['unauthorized', 'UNAUTHORIZED', 1]);
    expect(client.lastError?.message).toContain('a token is needed here');
    await client.authorize();
    expect((await opened()).tokens).toEqual(['token-2']);
    expect([client.state, tokens.asked]).toEqual(['online', 2]);
  });

  it.each<[name: string, next: () => Token | Promise<Token>]>([
    [
      'throws',
      () => {
        throw new Error('no network');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no network'))],
  ])('tries again with growing delays if the function %s', async (_, next) => {
    const { client, clock, tokens, sockets, errors, last } = await withTokens();
    last.lose();
    tokens.next = next;
    const delays: number[] = [];
    for (let n = 0; n < 20; n++) {
      await clock.advance((client.retryAt ?? 0) - clock.now());
      await settle();
      expect(client.state).toBe('waiting');
      delays.push((client.retryAt ?? 0) - clock.now());
    }
    expect(delays.at(-1)).toBeGreaterThan(Number(delays[0]));
    expect(sockets).toHaveLength(1);
    expect(errors.at(-1)).toMatchObject({ code: 'CONNECTION_LOST', cause: { message: 'no network' } });
  });

  it('gives up an attempt if the function does not answer in time', async () => {
    const { client, clock, tokens, sockets, last } = await withTokens();
    last.lose();
    tokens.next = () => new Promise(() => {});
    await clock.advance(2_000);
    expect([client.state, tokens.asked]).toEqual(['connecting', 2]);
    await clock.advance(10_000);
    expect([client.lastError?.message, sockets.length]).toEqual(['no token within 10000 ms', 1]);
  });

  it('does not use a token that arrives after close()', async () => {
    const { client, clock, tokens, sockets, last } = await withTokens();
    last.lose();
    let answer = (_: string) => {};
    tokens.next = () => new Promise((resolve) => (answer = resolve));
    await clock.advance(2_000);
    client.close();
    answer('late');
    await settle();
    expect([sockets.length, clock.pending]).toEqual([1, 0]);
  });

  it('refuses a token that is no function', () => {
    expect(() => Reflect.apply(createClient, undefined, [{ url: 'ws://localhost/', token: 'text' }])).toThrow(
      'token must be a function',
    );
  });
});

describe('[H-05] while it is connected, a client', () => {
  it('shows a new token when it is told that the old one expires', async () => {
    const { client, tokens, opened } = await withTokens();
    const socket = await opened();
    socket.deliver({ op: 'expiring', inMs: 60_000 });
    await settle();
    expect(socket.tokens).toEqual(['token-1', 'token-2']);
    socket.authorize();
    expect([client.state, tokens.asked]).toEqual(['online', 2]);
  });

  it('tries again with growing delays until a new token is accepted', async () => {
    const { clock, tokens, errors, opened } = await withTokens();
    const socket = await opened();
    const good = tokens.next;
    tokens.next = () => Promise.reject(new Error('no network'));
    socket.deliver({ op: 'expiring', inMs: 60_000 });
    await settle();
    await clock.advance(20_000);
    expect(tokens.asked).toBeGreaterThan(4);
    expect(tokens.asked).toBeLessThan(20);
    expect(errors.at(-1)).toMatchObject({ code: 'HANDLER_FAILED', cause: { message: 'no network' } });
    tokens.next = good;
    await clock.advance(5_000);
    refuse(socket, 'RATE_LIMITED', 30_000);
    await settle();
    const { asked } = tokens;
    await clock.advance(29_000);
    expect(tokens.asked).toBe(asked);
    await clock.advance(2_000);
    socket.authorize();
    await settle();
    expect(tokens.asked).toBe(asked + 1);
    await clock.advance(30_000);
    expect(tokens.asked).toBe(asked + 1);
  });

  it('is told by authorize() whether its token was accepted, and keeps its connection', async () => {
    const { client, sockets, opened } = await withTokens();
    const socket = await opened();
    const accepted = client.authorize();
    await settle();
    socket.authorize();
    await accepted;
    const refused = client.authorize();
    await settle();
    refuse(socket, 'UNAUTHORIZED');
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect([client.state, sockets.length]).toEqual(['online', 1]);
  });

  it('connects again at once for a token of another user', async () => {
    const { client, clock, sockets, opened } = await withTokens();
    const socket = await opened();
    const authorized = client.authorize();
    await settle();
    refuse(socket, 'FORBIDDEN');
    await authorized;
    await clock.advance(1);
    await opened();
    expect(sockets.map(({ tokens }) => tokens)).toEqual([['token-1', 'token-2'], ['token-3']]);
    expect(client.state).toBe('online');
  });

  it('has a deadline for the token function in authorize(), and needs the option', async () => {
    const { client, clock, tokens, opened } = await withTokens();
    await opened();
    tokens.next = () => new Promise(() => {});
    const late = expect(client.authorize()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(10_000);
    await late;
    const without = await harness();
    await expect(without.client.authorize()).rejects.toThrow(TypeError);
    without.last.welcome();
    without.last.deliver({ op: 'expiring', inMs: 60_000 });
    await settle();
    expect(without.last.sent).toEqual([]);
  });

  it('releases everything when it is closed while it shows a token', async () => {
    const { client, clock, opened } = await withTokens();
    const socket = await opened();
    socket.deliver({ op: 'expiring', inMs: 60_000 });
    await settle();
    client.close();
    await settle();
    expect(clock.pending).toBe(0);
  });
});
