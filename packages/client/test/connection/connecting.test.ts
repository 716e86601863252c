import { describe, expect, it } from 'vitest';
import { harness } from '../support/harness.js';

describe('connecting', () => {
  it('begins at once, uses pregon.v1, and is online after welcome', async () => {
    const { client, last, changes, online } = await harness();
    expect(client.state).toBe('connecting');
    expect(last).toMatchObject({ url: 'ws://localhost:1234/events', protocol: 'pregon.v1' });
    await online();
    expect(changes.map(({ state }) => state)).toEqual(['catching-up', 'online']);
    expect(client.connectionId).toBe('c-1');
  });

  it('gives up an attempt without a welcome in time, open or not', async () => {
    const { client, clock, last, changes } = await harness({ connectTimeoutMs: 4_000 });
    await clock.advance(4_000);
    expect(client.state).toBe('waiting');
    expect(changes[0]?.reason).toBe('no welcome within 4000 ms');
    expect(last.closedWith).toBe(1000);
    last.welcome();
    expect(client.state).toBe('waiting');
  });

  it('asks for the URL before each attempt, and counts an error there as a failed attempt', async () => {
    const urls = ['ws://a/1', new Error('no token'), 'not a url', 'ws://a/2'];
    const { clock, sockets, errors } = await harness({
      url: async () => {
        const url = urls.shift() ?? 'ws://a/last';
        if (url instanceof Error) throw url;
        if (url === 'not a url') throw new SyntaxError(url);
        return url;
      },
    });
    sockets[0]?.lose();
    await clock.advance(60_000);
    expect(sockets.slice(0, 2).map(({ url }) => url)).toEqual(['ws://a/1', 'ws://a/2']);
    expect(errors.map(({ code, cause }) => [code, String(cause)])).toEqual([
      ['CONNECTION_LOST', 'Error: no token'],
      ['CONNECTION_LOST', 'SyntaxError: not a url'],
    ]);
  });

  it('ignores a URL that comes after the attempt is over', async () => {
    let answer = (_: string) => {};
    const asked = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const { client, sockets, clock } = await harness({ url: () => asked });
    client.close();
    answer('ws://late/');
    await clock.advance(60_000);
    expect(sockets).toEqual([]);
  });

  it('[001-10][003-13] repeats after every loss, at growing intervals, and says when', async () => {
    const { client, clock, sockets, changes, last } = await harness();
    last.lose(1006);
    expect(client.retryAt).toBe(clock.now() + 750);
    expect(changes).toEqual([{ state: 'waiting', retryAt: client.retryAt, reason: 'the connection ended (1006)' }]);
    await clock.advance(749);
    expect(sockets).toHaveLength(1);
    await clock.advance(1);
    expect(sockets).toHaveLength(2);
    expect(client.retryAt).toBeUndefined();
    sockets[1]?.lose();
    expect(client.retryAt).toBe(clock.now() + 1_000);
  });

  it('ends by an error if no close follows, as in Node 22, and by the close if one does', async () => {
    const { client, clock, changes, last, online } = await harness();
    last.emit({ type: 'error', message: 'refused' });
    await clock.advance(99);
    expect(client.state).toBe('connecting');
    await clock.advance(1);
    expect(changes.at(-1)).toMatchObject({ state: 'waiting', reason: 'refused' });
    await clock.advance(750);
    const socket = await online();
    socket.emit({ type: 'error', message: 'broken' });
    socket.lose(1006);
    expect(changes.at(-1)).toMatchObject({ state: 'waiting', reason: 'broken' });
    socket.emit({ type: 'error', message: 'late' });
    client.close();
    expect(clock.pending).toBe(0);
  });

  it('returns to short delays only after a connection that lasted', async () => {
    const { client, clock, online } = await harness();
    const lossAfter = async (ms: number) => {
      const socket = await online();
      await clock.advance(ms);
      socket.lose();
      const delay = (client.retryAt ?? Number.NaN) - clock.now();
      await clock.advance(delay);
      return delay;
    };
    expect(await lossAfter(9_000)).toBe(750);
    expect(await lossAfter(9_000)).toBe(1_000);
    expect(await lossAfter(10_000)).toBe(750);
  });

  it.each([
    [4500, 'refused', 'FRAME_INVALID'],
    [4504, 'forbidden', 'FORBIDDEN'],
    [4505, 'unauthorized', 'UNAUTHORIZED'],
    [4506, 'forbidden', 'FORBIDDEN'],
    [4599, 'refused', 'FORBIDDEN'],
  ])('[001-04] stops if the close code says so, with an error that says why: %i', async (closeCode, state, code) => {
    const { client, clock, network, sockets, errors, changes, online } = await harness();
    (await online()).lose(closeCode, 'this is why');
    await clock.advance(120_000);
    network.wake();
    network.go(true);
    await clock.advance(120_000);
    expect(client.state).toBe(state);
    expect(sockets).toHaveLength(1);
    expect(errors).toMatchObject([{ code, retryable: false }]);
    expect(client.lastError).toBe(errors[0]);
    expect(changes.at(-1)).toEqual({
      state,
      reason: `the gateway refused the connection: this is why (${closeCode})`,
    });
    expect(clock.pending).toBe(0);
  });

  it('[fault G2] keeps subscriptions and collections for another attempt, and tells them why', async () => {
    const { client, sockets, clock, online } = await harness();
    const subscription = client.subscribe({ onEvent: () => {} });
    const collection = client.collection({ key: 'id', change: () => undefined });
    (await online()).lose(4504);
    expect([subscription.state, collection.state]).toEqual(['opening', 'loading']);
    expect(collection.lastError).toBe(client.lastError);
    await expect(collection.ready).rejects.toMatchObject({ code: 'FORBIDDEN' });
    client.connectNow();
    await clock.advance(0);
    sockets[1]?.welcome();
    expect(sockets[1]?.subscribes.map(({ id }) => id)).toEqual([1, 2]);
    expect(client.state).toBe('catching-up');
  });

  it.each([
    [1002, 'FRAME_INVALID'],
    [1009, 'FRAME_TOO_LARGE'],
    [4500, 'FRAME_INVALID'],
    [4501, 'POSITION_INVALID'],
    [4502, 'POSITION_INVALID'],
    [4503, 'TOPIC_INVALID'],
    [4999, 'FORBIDDEN'],
  ])('reports the refusal by close code %i as %s', async (code, name) => {
    const { errors, last } = await harness();
    last.lose(code);
    expect(errors.map((error) => error.code)).toEqual([name]);
  });

  it.each([1000, 1001, 1006, 1011, 1012, 4000, 4003, 4499])('is repeated after close code %i', async (code) => {
    const { client, errors, online } = await harness();
    (await online()).lose(code);
    expect(client.state).toBe('waiting');
    expect(errors).toEqual([]);
  });

  it('returns to a draining gateway after exactly the delay that the gateway named', async () => {
    const { client, clock, sockets, online } = await harness();
    const socket = await online();
    socket.deliver({ op: 'draining', reconnectInMs: 3_210 });
    await clock.advance(10);
    expect(client.state).toBe('online');
    socket.lose(4000);
    expect(client.retryAt).toBe(clock.now() + 3_200);
    await clock.advance(3_199);
    expect(sockets).toHaveLength(1);
    await clock.advance(1);
    expect(sockets).toHaveLength(2);
    sockets[1]?.lose();
    expect(client.retryAt).toBe(clock.now() + 750);
  });

  it('leaves a draining gateway at that moment if the gateway has not closed by then', async () => {
    const { clock, sockets, online } = await harness();
    const socket = await online();
    socket.deliver({ op: 'draining', reconnectInMs: 2_000 });
    await clock.advance(2_000);
    expect(socket.closedWith).toBe(1000);
    expect(sockets).toHaveLength(2);
  });

  it('[001-12] pings a silent gateway, and leaves it if no frame follows', async () => {
    const { client, clock, changes, online } = await harness();
    const socket = await online(5_000);
    await clock.advance(5_000);
    expect(socket.sent).toEqual([{ op: 'ping' }]);
    socket.deliver({ op: 'pong' });
    await clock.advance(10_000);
    expect(socket.sent).toEqual([{ op: 'ping' }, { op: 'ping' }]);
    expect(client.state).toBe('waiting');
    expect(socket.closedWith).toBe(4001);
    expect(changes.at(-1)?.reason).toBe('no answer to a ping');
  });

  it('prefers the ping interval of the options to that of the gateway', async () => {
    const { clock, online } = await harness({ pingIntervalMs: 700 });
    const socket = await online(60_000);
    await clock.advance(700);
    expect(socket.sent).toEqual([{ op: 'ping' }]);
  });

  it.each([
    ['a frame that is not JSON', '{"op":', 'FRAME_INVALID'],
    ['an invalid event', '{"specversion":"0.3"}', 'EVENT_INVALID'],
    ['a binary frame', new ArrayBuffer(2), 'FRAME_INVALID'],
    ['a field of the wrong type', '{"op":"ack","id":"1"}', 'FRAME_INVALID'],
  ])('reports %s and connects again', async (_, data, code) => {
    const { client, clock, sockets, errors, online } = await harness();
    (await online()).deliverText(data);
    expect(errors.map((error) => error.code)).toEqual([code]);
    expect(client.state).toBe('waiting');
    await clock.advance(750);
    expect(sockets).toHaveLength(2);
  });

  it('reports a first frame that is not welcome and connects again', async () => {
    const { client, errors, last } = await harness();
    last.deliver({ op: 'pong' });
    expect(errors).toMatchObject([{ code: 'FRAME_INVALID' }]);
    expect(client.state).toBe('waiting');
  });

  it('ignores an op of a later gateway', async () => {
    const { client, errors, online } = await harness();
    (await online()).deliverText('{"op":"presence","id":1}');
    expect(errors).toEqual([]);
    expect(client.state).toBe('online');
  });

  it('begins at once on connectNow', async () => {
    const { client, sockets, last, clock } = await harness();
    last.lose();
    client.connectNow();
    await clock.advance(0);
    expect(client.state).toBe('connecting');
    expect(sockets).toHaveLength(2);
    await clock.advance(5_000);
    expect(sockets).toHaveLength(2);
  });

  it('ends for good by close(), in any state', async () => {
    for (const reach of ['connecting', 'online', 'waiting'] as const) {
      const { client, clock, network, last, sockets, changes, online } = await harness();
      if (reach === 'online') await online();
      if (reach === 'waiting') last.lose();
      client.close();
      client.close();
      client.connectNow();
      network.wake();
      last.welcome();
      last.lose();
      await clock.advance(120_000);
      expect(client.state).toBe('closed');
      expect(changes.filter(({ state }) => state === 'closed')).toHaveLength(1);
      expect(sockets).toHaveLength(1);
      expect(clock.pending).toBe(0);
      expect(network.observers.size).toBe(0);
      if (reach !== 'waiting') expect(last.closedWith).toBe(1000);
    }
  });

  it('ignores further events of a connection that the client has ended', async () => {
    const { client, errors, online } = await harness();
    const seen: unknown[] = [];
    client.onMessage('typing', (data) => seen.push(data));
    const socket = await online();
    client.close();
    socket.deliver({ op: 'message', name: 'typing', data: 1 });
    socket.deliverText('no JSON');
    expect([seen, errors]).toEqual([[], []]);
  });

  it('tolerates a listener that closes the client, and one that tries again', async () => {
    const { client, clock, sockets, last } = await harness();
    let tried = false;
    client.on('state', ({ state }) => {
      if (state === 'waiting' && !tried) {
        tried = true;
        client.connectNow();
      } else if (state === 'waiting') client.close();
    });
    last.lose();
    await clock.advance(0);
    expect(sockets).toHaveLength(2);
    sockets[1]?.lose();
    await clock.advance(60_000);
    expect(client.state).toBe('closed');
    expect(sockets).toHaveLength(2);
  });

  it('reports the error of a state listener, and still calls the next listener', async () => {
    const { client, errors, changes, last } = await harness();
    client.on('state', () => {
      throw new Error('broken');
    });
    const after: string[] = [];
    client.on('state', ({ state }) => after.push(state));
    last.lose();
    expect(errors).toMatchObject([{ code: 'HANDLER_FAILED', cause: new Error('broken') }]);
    expect(changes).toHaveLength(1);
    expect(after).toEqual(['waiting']);
  });
});

describe('the network of the device', () => {
  it('[003-15] makes the client offline if a connection is lost without it, and starts an attempt at once when it is back', async () => {
    const { client, clock, network, sockets, online } = await harness();
    const socket = await online();
    network.go(false);
    expect(client.state).toBe('online');
    expect(socket.sent).toEqual([{ op: 'ping' }]);
    await clock.advance(2_000);
    expect(client.state).toBe('offline');
    network.go(true);
    await clock.advance(0);
    expect(client.state).toBe('connecting');
    expect(sockets).toHaveLength(2);
    sockets[1]?.lose();
    expect(client.retryAt).toBe(clock.now() + 750);
  });

  it('may be reported as gone without ending a connection that answers', async () => {
    const { client, clock, network, online } = await harness();
    const socket = await online();
    network.go(false);
    socket.deliver({ op: 'pong' });
    await clock.advance(10_000);
    expect(client.state).toBe('online');
  });

  it('may be reported as gone without stopping attempts, since the report is only a hint', async () => {
    const { client, clock, network, sockets, last } = await harness();
    last.lose();
    network.go(false);
    expect(client.state).toBe('offline');
    expect(client.retryAt).toBe(clock.now() + 1_000);
    await clock.advance(1_000);
    expect(sockets).toHaveLength(2);
    sockets[1]?.welcome();
    expect(client.state).toBe('online');
  });

  it('is tested when the page becomes visible, by an attempt at once or by a ping', async () => {
    const { client, clock, network, sockets, last, online } = await harness();
    last.lose();
    network.wake();
    await clock.advance(0);
    expect(sockets).toHaveLength(2);
    const socket = await online();
    network.wake();
    expect(socket.sent).toEqual([{ op: 'ping' }]);
    expect(client.state).toBe('online');
  });
});
