import { describe, expect, it } from 'vitest';
import type { SubscribeOptions } from '../src/subscriptions/subscription.js';
import type { FakeSocket } from './support/fake-socket.js';
import { event, harness } from './support/harness.js';

/** Handlers that write down what they are called with. */
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
  it('is asked for when there is a connection, with its topics, since and snapshot', async () => {
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

  it('that is behind is catching up, says about how far, and is live at the checkpoint', async () => {
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

  it('that is lost while it catches up goes on from the last event that was handled', async () => {
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

  it('is asked for once when it is made the moment that the connection is there', async () => {
    const { client, online } = await harness();
    client.on('state', ({ state }) => {
      if (state === 'catching-up') client.subscribe({ onEvent: () => {} });
    });
    const socket = await online();
    expect(socket.subscribes.map(({ id }) => id)).toEqual([1]);
  });

  it('[I-1] hands events on in order, and keeps the position of each that was handled', async () => {
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

  it('[I-2] goes on after a loss from the last event that was handled, or from a later checkpoint', async () => {
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

  it('[I-2] presents the since that it was given until it knows a position', async () => {
    const { client, clock, sockets, online } = await harness();
    const subscription = client.subscribe({ since: 'p-5', onEvent: () => {} });
    expect(subscription.position).toBe('p-5');
    (await online()).lose();
    await clock.advance(1_000);
    sockets[1]?.welcome();
    expect(sockets.map((socket) => socket.subscribes[0]?.since)).toEqual(['p-5', 'p-5']);
  });

  it('[I-2][I-8] reports a handler that throws or rejects, and goes on after that event', async () => {
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

  it('[I-1][I-3] gets the events that are its own among those of others', async () => {
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

  it('calls no handler after close(), whatever is on its way, and says so to the gateway', async () => {
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

  it('is not opened again once closed, and needs no unsubscribe where it was not asked for', async () => {
    const { client, online } = await harness();
    client.subscribe({ onEvent: () => {} }).close();
    expect((await online()).sent).toEqual([]);
    expect(client.state).toBe('online');
  });

  it('[I-6] gets the rows of a snapshot whole, and before the events after it', async () => {
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

  it('[I-4] is told of a reset while live, and catches up from the snapshot that follows', async () => {
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

  it('[I-6] drops half a snapshot with its connection, and keeps the old position with the old rows', async () => {
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

  it('[I-8] ends by itself alone when it is refused for good', async () => {
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

  it('asks again, at growing intervals, when it is refused for now', async () => {
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

  it('[I-6] gets the last of two snapshots, and never half of one', async () => {
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

  it('begins with short intervals again once it was open', async () => {
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

  it('[fault A8] told RATE_LIMITED, asks again, but not before the time it was given', async () => {
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

  it('forgets the retry of a lost connection', async () => {
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

  it('[I-2] of an earlier connection owns no event of a later one', async () => {
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

  it('is asked for once after a loss, though a retry was due', async () => {
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
  ])('[I-2] connects again where an event comes %s', async (_, frames) => {
    const { client, errors, online } = await harness();
    const { calls, handlers } = recorder();
    client.subscribe(handlers);
    (await online()).deliver(...frames);
    expect(errors).toMatchObject([{ code: 'FRAME_INVALID' }]);
    expect(client.state).toBe('waiting');
    expect(calls).not.toContain('e-1');
  });

  it('[I-6] connects again where a snapshot was asked for and subscribed comes without all of it', async () => {
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

  it('[I-1][I-3] takes the events of a batch one by one, as if each had come in a frame of its own', async () => {
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

  it('takes no more of a batch once its handler has closed the client or the subscription', async () => {
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

  it('[I-2] connects again where a batch comes for no subscription, or holds what is no event', async () => {
    for (const frame of [{ op: 'batch', events: [event(1)] } as const, { op: 'batch', events: [{}] }]) {
      const { client, errors, online } = await harness();
      client.subscribe(recorder().handlers);
      (await online()).deliverText(JSON.stringify(frame));
      expect([client.state, errors.length]).toEqual(['waiting', 1]);
    }
  });

  it('throws at once for what cannot be a subscription', async () => {
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
