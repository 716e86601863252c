import { describe, expect, it } from 'vitest';
import type { SubscribeOptions } from '../src/subscriptions/subscription.js';
import type { FakeSocket } from './support/fake-socket.js';
import { event, harness } from './support/harness.js';

/** Handlers that record their calls. */
function recorder(options: Partial<SubscribeOptions> = {}) {
  const calls: string[] = [];
  const handlers: SubscribeOptions = {
    onEvent: ({ id }) => calls.push(id),
    onSnapshot: (rows) => calls.push(`snapshot ${JSON.stringify(rows)}`),
    onReset: (reason) => calls.push(`reset ${reason}`),
    onSubscribed: ({ position, recovered }) => calls.push(`subscribed ${position} ${recovered}`),
    onError: ({ code }) => calls.push(`error ${code}`),
    ...options,
  };
  return { calls, handlers };
}

function subscribed(socket: FakeSocket, id: number, position: string, recovered = true): void {
  socket.deliver({ op: 'subscribed', id, position, recovered });
}

describe('a subscription', () => {
  it('is requested when there is a connection, with its topics, since and snapshot', async () => {
    const { client, online } = await harness();
    client.subscribe({ topics: ['user.#'], since: 'first', snapshot: true, onEvent: () => {} });
    const socket = await online();
    const second = client.subscribe({ onEvent: () => {} });
    expect(socket.sent).toEqual([
      { op: 'subscribe', id: 1, topics: ['user.#'], since: 'first', snapshot: true, batch: true },
      { op: 'subscribe', id: 2, topics: ['#'], batch: true },
    ]);
    expect(second.topics).toEqual(['#']);
  });

  it('is catching up while it is behind, says approximately how far, and is live at the checkpoint', async () => {
    const { client, online } = await harness();
    const { calls, handlers } = recorder();
    const subscription = client.subscribe({ ...handlers, since: 'first' });
    const socket = await online();
    socket.deliver({ op: 'subscribed', id: 1, position: 'p-0', recovered: true, behind: 3 });
    expect([subscription.state, subscription.behind, client.state, client.behind]).toEqual([
      'catching-up',
      3,
      'catching-up',
      3,
    ]);
    socket.deliver(event(1));
    expect([subscription.position, subscription.behind]).toEqual(['p-1', 2]);
    socket.deliver({ op: 'checkpoint', id: 1, position: 'p-3' });
    expect([subscription.state, subscription.behind, client.state, client.behind]).toEqual(['live', 0, 'online', 0]);
    expect(subscription.position).toBe('p-3');
    expect(calls).toEqual(['subscribed p-0 true', event(1).id]);
  });

  it('continues from the last handled event if it is lost while it catches up', async () => {
    const { client, online } = await harness();
    client.subscribe({ since: 'first', onEvent: () => {} });
    const socket = await online();
    socket.deliver({ op: 'subscribed', id: 1, position: 'p-0', recovered: true, behind: 3 });
    socket.deliver(event(1));
    socket.lose();
    client.connectNow();
    const second = await online();
    expect(second.subscribes).toMatchObject([{ since: 'p-1' }]);
  });

  it('is requested once if it is created at the moment that the connection opens', async () => {
    const { client, online } = await harness();
    client.on('state', ({ state }) => {
      if (state === 'catching-up') client.subscribe({ onEvent: () => {} });
    });
    const socket = await online();
    expect(socket.subscribes.map(({ id }) => id)).toEqual([1]);
  });

  it('[I-1] passes events on in order, and keeps the position of each handled event', async () => {
    const { client, online } = await harness();
    const { calls, handlers } = recorder();
    const positions: (string | undefined)[] = [];
    const subscription = client.subscribe({
      ...handlers,
      onEvent: (given) => {
        positions.push(subscription.position);
        calls.push(given.id);
      },
    });
    expect([subscription.state, client.state]).toEqual(['opening', 'connecting']);
    const socket = await online();
    expect(client.state).toBe('catching-up');
    subscribed(socket, 1, 'p-0', false);
    expect([subscription.state, client.state]).toEqual(['live', 'online']);
    socket.deliver(event(1), event(2));
    expect(calls).toEqual(['subscribed p-0 false', 'e-1', 'e-2']);
    expect(positions).toEqual(['p-0', 'p-1']);
    expect(subscription.position).toBe('p-2');
  });

  it('[I-2] continues after a loss from the last handled event, or from a later checkpoint', async () => {
    const { client, clock, sockets, online } = await harness();
    const { calls, handlers } = recorder();
    client.subscribe({ ...handlers, since: 'first' });
    const socket = await online();
    subscribed(socket, 1, 'p-0');
    socket.deliver(event(1));
    socket.lose();
    await clock.advance(1_000);
    expect(sockets[1]?.subscribes).toEqual([]);
    sockets[1]?.welcome();
    expect(sockets[1]?.subscribes).toEqual([{ op: 'subscribe', id: 1, topics: ['#'], since: 'p-1', batch: true }]);
    if (sockets[1]) subscribed(sockets[1], 1, 'p-1');
    sockets[1]?.deliver({ op: 'checkpoint', id: 1, position: 'p-9' });
    sockets[1]?.lose();
    await clock.advance(5_000);
    sockets[2]?.welcome();
    expect(sockets[2]?.subscribes[0]?.since).toBe('p-9');
    expect(calls).toEqual(['subscribed p-0 true', 'e-1', 'subscribed p-1 true']);
  });

  it('[I-2] presents its since until it knows a position', async () => {
    const { client, clock, sockets, online } = await harness();
    const subscription = client.subscribe({ since: 'p-5', onEvent: () => {} });
    expect(subscription.position).toBe('p-5');
    (await online()).lose();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    expect(sockets.map((socket) => socket.subscribes[0]?.since)).toEqual(['p-5', 'p-5']);
  });

  it('[I-2][I-8] reports a handler that throws or rejects, and continues after that event', async () => {
    const { client, clock, errors, online } = await harness();
    const seen: string[] = [];
    const subscription = client.subscribe({
      onEvent: async ({ id }) => {
        seen.push(id);
        if (id === 'e-2') throw new Error('broken');
      },
      onSubscribed: () => {
        throw new Error('broken too');
      },
    });
    const socket = await online();
    subscribed(socket, 1, 'p-0');
    socket.deliver(event(1), event(2), event(3));
    await clock.advance(0);
    expect(seen).toEqual(['e-1', 'e-2', 'e-3']);
    expect(errors.map(({ code, cause }) => `${code} ${cause}`)).toEqual([
      'HANDLER_FAILED Error: broken too',
      'HANDLER_FAILED Error: broken',
    ]);
    expect([subscription.state, subscription.position]).toEqual(['live', 'p-3']);
  });

  it('[I-1][I-3] gets its own events among those of others', async () => {
    const { client, online } = await harness();
    const first = recorder();
    const second = recorder();
    client.subscribe(first.handlers);
    client.subscribe(second.handlers);
    const socket = await online();
    subscribed(socket, 1, 'p-0');
    socket.deliver(event(1));
    subscribed(socket, 2, 'p-1');
    socket.deliver(event(2), { op: 'events', id: 1 }, event(2), event(3), { op: 'events', id: 2 }, event(3));
    expect(first.calls).toEqual(['subscribed p-0 true', 'e-1', 'e-2', 'e-3']);
    expect(second.calls).toEqual(['subscribed p-1 true', 'e-2', 'e-3']);
  });

  it('calls no handler after close(), whatever is in transit, and tells the gateway', async () => {
    const { client, errors, online } = await harness();
    const { calls, handlers } = recorder({
      onEvent: ({ id }) => {
        calls.push(id);
        if (id === 'e-2') subscription.close();
      },
    });
    const subscription = client.subscribe(handlers);
    const other = recorder();
    client.subscribe(other.handlers);
    const socket = await online();
    subscribed(socket, 2, 'p-0');
    subscribed(socket, 1, 'p-0');
    socket.deliver(event(1), event(2), event(3));
    socket.deliver({ op: 'reset', id: 1, reason: 'replaced' }, { op: 'snapshot', id: 1, rows: [], more: false });
    subscribed(socket, 1, 'p-9', false);
    socket.deliver({ op: 'unsubscribed', id: 1 });
    socket.deliver(event(10), { op: 'events', id: 2 }, event(10));
    expect(calls).toEqual(['subscribed p-0 true', 'e-1', 'e-2']);
    expect(other.calls).toEqual(['subscribed p-0 true', 'e-10']);
    expect(subscription).toMatchObject({ state: 'closed', position: 'p-1' });
    expect(socket.sent.at(-1)).toEqual({ op: 'unsubscribe', id: 1 });
    expect(errors).toEqual([]);
  });

  it('is not opened again once closed, and sends no unsubscribe if it was not requested', async () => {
    const { client, online } = await harness();
    client.subscribe({ onEvent: () => {} }).close();
    expect((await online()).sent).toEqual([]);
    expect(client.state).toBe('online');
  });

  it('[I-6] gets all rows of a snapshot at once, and before the events after it', async () => {
    const { client, online } = await harness();
    const { calls, handlers } = recorder({ snapshot: true });
    client.subscribe(handlers);
    const socket = await online();
    socket.deliver({ op: 'snapshot', id: 1, rows: [1, 2], more: true });
    socket.deliver({ op: 'snapshot', id: 1, rows: [3], more: false });
    subscribed(socket, 1, 'p-4', false);
    socket.deliver(event(5));
    expect(calls).toEqual(['snapshot [1,2,3]', 'subscribed p-4 false', 'e-5']);
  });

  it('[I-4] reports a reset while live, and catches up from the snapshot that follows', async () => {
    const { client, online } = await harness();
    const { calls, handlers } = recorder({ snapshot: true, since: 'p-1' });
    const subscription = client.subscribe(handlers);
    const socket = await online();
    subscribed(socket, 1, 'p-1');
    socket.deliver({ op: 'reset', id: 1, reason: 'replaced' });
    expect([subscription.state, client.state]).toEqual(['opening', 'catching-up']);
    socket.deliver({ op: 'snapshot', id: 1, rows: [], more: false });
    subscribed(socket, 1, 'p-7', false);
    socket.deliver(event(8));
    expect(calls).toEqual(['subscribed p-1 true', 'reset replaced', 'snapshot []', 'subscribed p-7 false', 'e-8']);
    expect(client.state).toBe('online');
  });

  it('[I-6] drops a partial snapshot with its connection, and keeps the old position with the old rows', async () => {
    const { client, clock, sockets, online } = await harness();
    const { calls, handlers } = recorder({ snapshot: true, since: 'p-1' });
    client.subscribe(handlers);
    const socket = await online();
    socket.deliver({ op: 'reset', id: 1, reason: 'truncated' });
    socket.deliver({ op: 'snapshot', id: 1, rows: ['old'], more: false });
    socket.lose();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    expect(sockets[1]?.subscribes[0]?.since).toBe('p-1');
    sockets[1]?.deliver({ op: 'reset', id: 1, reason: 'truncated' });
    sockets[1]?.deliver({ op: 'snapshot', id: 1, rows: ['new'], more: false });
    if (sockets[1]) subscribed(sockets[1], 1, 'p-8', false);
    expect(calls).toEqual(['reset truncated', 'reset truncated', 'snapshot ["new"]', 'subscribed p-8 false']);
  });

  it('[I-8] ends without affecting others when it is refused for good', async () => {
    const { client, online } = await harness();
    const refused = recorder();
    const other = recorder();
    const subscription = client.subscribe({ ...refused.handlers, since: 'forged' });
    client.subscribe(other.handlers);
    const socket = await online();
    socket.deliver({ op: 'error', id: 1, code: 'POSITION_INVALID', message: 'no', retryable: false });
    subscribed(socket, 2, 'p-0');
    expect(refused.calls).toEqual(['error POSITION_INVALID']);
    expect(subscription.state).toBe('closed');
    expect([other.calls, client.state]).toEqual([['subscribed p-0 true'], 'online']);
    expect(socket.sent.filter(({ op }) => op === 'unsubscribe')).toEqual([]);
  });

  it('is requested again, at growing intervals, after a retryable refusal', async () => {
    const { client, clock, online } = await harness();
    const { calls, handlers } = recorder({ snapshot: true });
    const subscription = client.subscribe(handlers);
    const socket = await online();
    const refuse = () =>
      socket.deliver({ op: 'error', id: 1, code: 'SNAPSHOT_UNAVAILABLE', message: 'down', retryable: true });
    refuse();
    await clock.advance(749);
    expect(socket.subscribes).toHaveLength(1);
    await clock.advance(1);
    expect(socket.subscribes).toHaveLength(2);
    refuse();
    await clock.advance(1_249);
    expect(socket.subscribes).toHaveLength(2);
    await clock.advance(1);
    expect(socket.subscribes).toHaveLength(3);
    expect([subscription.state, client.state]).toEqual(['opening', 'catching-up']);
    expect(calls).toEqual(['error SNAPSHOT_UNAVAILABLE', 'error SNAPSHOT_UNAVAILABLE']);
    refuse();
    subscription.close();
    await clock.advance(20_000);
    expect(socket.subscribes).toHaveLength(3);
    expect(socket.sent.filter(({ op }) => op === 'unsubscribe')).toEqual([]);
  });

  it('[I-6] gets the last of two snapshots, and never a partial one', async () => {
    for (const first of [false, true]) {
      const { client, clock, sockets, online } = await harness();
      const { calls, handlers } = recorder({ snapshot: true });
      client.subscribe(handlers);
      const socket = await online();
      socket.deliver({ op: 'snapshot', id: 1, rows: ['gone'], more: first });
      if (first) {
        socket.lose();
        await clock.advance(1_000);
        sockets[1]?.welcome();
      }
      sockets.at(-1)?.deliver({ op: 'snapshot', id: 1, rows: ['new'], more: false });
      sockets.at(-1)?.deliver({ op: 'subscribed', id: 1, position: 'p-1', recovered: false });
      expect(calls).toEqual(['snapshot ["new"]', 'subscribed p-1 false']);
    }
  });

  it('returns to short intervals once it was open', async () => {
    const { client, clock, online } = await harness();
    client.subscribe(recorder().handlers);
    const socket = await online();
    const refuse = () => socket.deliver({ op: 'error', id: 1, code: 'LOG_UNAVAILABLE', message: '', retryable: true });
    refuse();
    await clock.advance(750);
    subscribed(socket, 1, 'p-0');
    refuse();
    await clock.advance(750);
    expect(socket.subscribes).toHaveLength(3);
  });

  it('[fault A8] is requested again after RATE_LIMITED, but not before retryAfterMs has passed', async () => {
    const { client, clock, online } = await harness();
    client.subscribe(recorder().handlers);
    const socket = await online();
    const told = { code: 'RATE_LIMITED', message: 'too many', retryable: true, retryAfterMs: 5_000 } as const;
    socket.deliver({ op: 'error', id: 1, ...told });
    await clock.advance(4_999);
    expect(socket.subscribes).toHaveLength(1);
    await clock.advance(1);
    expect(socket.subscribes).toHaveLength(2);
  });

  it('drops the retry of a lost connection', async () => {
    const { client, clock, sockets, online } = await harness();
    client.subscribe(recorder().handlers);
    const refuse = (socket: FakeSocket | undefined) =>
      socket?.deliver({ op: 'error', id: 1, code: 'LOG_UNAVAILABLE', message: '', retryable: true });
    refuse(await online());
    await clock.advance(700);
    sockets[0]?.lose();
    client.connectNow();
    await clock.advance(0);
    sockets[1]?.welcome();
    refuse(sockets[1]);
    await clock.advance(1_249);
    expect(sockets[1]?.subscribes).toHaveLength(1);
    await clock.advance(1);
    expect(sockets[1]?.subscribes).toHaveLength(2);
  });

  it('[I-2] of an earlier connection gets no event of a later one', async () => {
    const { client, clock, sockets, errors, online } = await harness();
    const subscription = client.subscribe(recorder().handlers);
    subscribed(await online(), 1, 'p-0');
    sockets[0]?.lose();
    subscription.close();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    sockets[1]?.deliver(event(1));
    expect(errors).toMatchObject([{ code: 'FRAME_INVALID' }]);
  });

  it('is requested once after a loss, although a retry was due', async () => {
    const { client, clock, sockets, online } = await harness();
    client.subscribe(recorder().handlers);
    (await online()).deliver({ op: 'error', id: 1, code: 'LOG_UNAVAILABLE', message: 'down', retryable: true });
    sockets[0]?.lose();
    await clock.advance(750);
    sockets[1]?.welcome();
    await clock.advance(5_000);
    expect(sockets[1]?.subscribes).toHaveLength(1);
  });

  it.each([
    ['for no subscription', [event(1)]],
    ['before subscribed', [{ op: 'events', id: 1 } as const, event(1)]],
    [
      'between reset and subscribed',
      [
        { op: 'subscribed', id: 1, position: 'p-0', recovered: true } as const,
        { op: 'reset', id: 1, reason: 'replaced' } as const,
        event(1),
      ],
    ],
  ])('[I-2] causes a new connection if an event comes %s', async (_, frames) => {
    const { client, errors, online } = await harness();
    const { calls, handlers } = recorder();
    client.subscribe(handlers);
    (await online()).deliver(...frames);
    expect(errors).toMatchObject([{ code: 'FRAME_INVALID' }]);
    expect(client.state).toBe('waiting');
    expect(calls).not.toContain('e-1');
  });

  it('[I-6] causes a new connection if subscribed comes before the complete snapshot that it requested', async () => {
    for (const chunks of [[], [{ op: 'snapshot', id: 1, rows: [1], more: true } as const]]) {
      const { client, errors, online } = await harness();
      const { calls, handlers } = recorder({ snapshot: true });
      client.subscribe(handlers);
      const socket = await online();
      socket.deliver(...chunks);
      subscribed(socket, 1, 'p-1', false);
      expect(errors).toMatchObject([{ code: 'FRAME_INVALID' }]);
      expect([client.state, calls]).toEqual(['waiting', []]);
    }
  });

  it('[I-1][I-3] handles the events of a batch one by one, as if each had its own frame', async () => {
    const { client, clock, sockets, online } = await harness();
    const { calls, handlers } = recorder();
    client.subscribe(handlers);
    const socket = await online();
    subscribed(socket, 1, 'p-0');
    socket.deliver({ op: 'batch', events: [event(1), event(2)] }, event(3), { op: 'batch', events: [event(4)] });
    expect(calls).toEqual(['subscribed p-0 true', 'e-1', 'e-2', 'e-3', 'e-4']);
    socket.lose();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    expect(sockets[1]?.subscribes).toMatchObject([{ since: 'p-4' }]);
  });

  it('handles no more of a batch once its handler has closed the client or the subscription', async () => {
    for (const whole of [true, false]) {
      const { client, online } = await harness();
      const seen: string[] = [];
      const subscription = client.subscribe({
        onEvent: ({ id }) => {
          seen.push(id);
          if (whole) client.close();
          else subscription.close();
        },
      });
      const socket = await online();
      subscribed(socket, 1, 'p-0');
      socket.deliver({ op: 'batch', events: [event(1), event(2)] });
      expect(seen).toEqual(['e-1']);
    }
  });

  it('[I-2] causes a new connection if a batch belongs to no subscription, or holds an invalid event', async () => {
    for (const frame of [{ op: 'batch', events: [event(1)] } as const, { op: 'batch', events: [{}] }]) {
      const { client, errors, online } = await harness();
      client.subscribe(recorder().handlers);
      (await online()).deliverText(JSON.stringify(frame));
      expect([client.state, errors.length]).toEqual(['waiting', 1]);
    }
  });

  it('throws at once for invalid arguments', async () => {
    const { client } = await harness();
    const onEvent = () => {};
    expect(() => client.subscribe({ topics: [], onEvent })).toThrow(RangeError);
    expect(() => client.subscribe({ topics: ['a..b'], onEvent })).toThrow(
      expect.objectContaining({ code: 'TOPIC_INVALID' }),
    );
    client.close();
    expect(() => client.subscribe({ onEvent })).toThrow(expect.objectContaining({ code: 'CONNECTION_LOST' }));
  });

  it('is closed with its client, for good', async () => {
    const { client, online } = await harness();
    const { calls, handlers } = recorder();
    const subscription = client.subscribe(handlers);
    const socket = await online();
    subscribed(socket, 1, 'p-0');
    client.close();
    socket.deliver(event(1));
    expect([subscription.state, calls]).toEqual(['closed', ['subscribed p-0 true']]);
  });
});
