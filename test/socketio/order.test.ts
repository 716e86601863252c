import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberOf, numbers, startGateway } from '../support/gateway/gateway.js';
import { SocketIoClient, type Transports, WAYS } from '../support/gateway/socketio-client.js';
import { byLength } from '../support/long.js';
import { connectPacket, PollingClient } from '../support/socketio/engine-client.js';

/** The next step on a gateway: append this many events, emit this many messages, and then pause. */
interface Step {
  readonly events: number;
  readonly messages: number;
  readonly bytes: number;
  readonly pause: 'none' | 'turn' | 'timer';
}

const step = fc.record({
  events: fc.integer({ min: 0, max: 40 }),
  messages: fc.integer({ min: 0, max: 40 }),
  bytes: fc.constantFrom(0, 10, 2_000),
  pause: fc.constantFrom('none' as const, 'turn' as const, 'timer' as const),
});

const steps = fc.array(step, { minLength: 5, maxLength: 25 });

/** What was done on a gateway: for each event, by number, how many messages had been emitted before its append. */
class Done {
  messages = 0;
  readonly before: number[] = [];

  /** Notes that this many events are about to be appended. */
  events(count: number): void {
    for (let n = 0; n < count; n++) this.before.push(this.messages);
  }
}

/**
 * Checks what a client received in the end: events and messages whole and in order, and no event before a message that
 * was emitted earlier.
 */
async function expectBoth(client: SocketIoClient, { messages, before }: Done): Promise<void> {
  await client.count('message', messages);
  await client.count('event', before.length);
  expect(client.of('message').map(([n]) => n)).toEqual(numbers(1, messages));
  expect(client.numbers()).toEqual(numbers(1, before.length));
  let had = 0;
  let event = 0;
  for (const { name } of client.received.all) {
    if (name === 'message') had += 1;
    else if (name === 'event') expect(had).toBeGreaterThanOrEqual(before[event++] ?? 0);
  }
  expect(client.recovered).toEqual([false]);
}

async function runSteps(transports: Transports, plan: readonly Step[]): Promise<void> {
  const { gateway, http, append } = await startGateway();
  const client = await SocketIoClient.open(http('/events'), { transports: [...transports], auth: { names: 'event' } });
  await client.count('subscribed', 1);
  const done = new Done();
  for (const { events: more, messages: emitted, bytes, pause } of plan) {
    done.events(more);
    const appended = append(more, { padding: bytes });
    for (let n = 0; n < emitted; n++) {
      done.messages += 1;
      const rest = n % 3 === 0 ? [Buffer.alloc(bytes)] : ['x'.repeat(bytes)];
      gateway.io.of('/events').emit('message', done.messages, ...rest, 0);
    }
    if (pause === 'turn') await new Promise((resolve) => setImmediate(resolve));
    if (pause === 'timer') await new Promise((resolve) => setTimeout(resolve, 3));
    await appended;
  }
  await expectBoth(client, done);
  client.socket.disconnect();
  await gateway.close({ spreadMs: 0 });
}

describe.each(WAYS)('A client by %s that gets messages while events arrive', (_, transports) => {
  it('[I-1][I-2][I-3] receives both whole and in order, however they are interleaved', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (plan) => runSteps(transports, plan)),
      { numRuns: byLength({ quick: 4, check: 8, long: 80 }) },
    );
  });

  it('[I-8] receives its events although messages are emitted all the time', async () => {
    const { gateway, http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), {
      transports: [...transports],
      auth: { names: 'event' },
    });
    await client.count('subscribed', 1);
    const done = new Done();
    done.events(500);
    const emit = () => {
      for (let n = 0; n < 5; n++) gateway.io.of('/events').emit('message', ++done.messages, 0);
    };
    const emitting = setInterval(emit, 1);
    // Emits again whenever everything was handed over, more than a socket takes at once, so the transport is never
    // idle.
    const [socket] = gateway.io.of('/events').sockets.values();
    const refill = () => gateway.io.of('/events').emit('filling', 'x'.repeat(100_000));
    socket?.conn.on('drain', refill);
    refill();
    try {
      await append(500);
      await client.count('event', 500);
    } finally {
      clearInterval(emitting);
      socket?.conn.off('drain', refill);
    }
    await expectBoth(client, done);
  });
});

describe('A client that does not read for a while', () => {
  async function startPaused() {
    const { gateway, http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), { transports: ['websocket'], auth: { names: 'event' } });
    await client.count('subscribed', 1);
    const socket: unknown = Reflect.get(Reflect.get(client.socket.io.engine.transport, 'ws'), '_socket');
    if (!isPausable(socket)) throw new Error('the WebSocket has no socket of its own');
    socket.pause();
    const namespace = gateway.io.of('/events');
    const done = new Done();
    const emit = (bytes: number) => namespace.emit('message', ++done.messages, Buffer.alloc(bytes), 0);
    const appendMore = (count: number, padding: number) => {
      done.events(count);
      return append(count, { padding });
    };
    return { namespace, client, done, emit, append: appendMore, resume: () => socket.resume() };
  }

  it('[I-1][I-2][I-3][G-2] receives messages and events whole and in order when it reads on', async () => {
    const { namespace, client, done, emit, append, resume } = await startPaused();
    for (let n = 1; n <= 400; n++) {
      emit(20_000);
      if (n % 40 === 0) await append(500, 1_000);
    }
    const [server] = namespace.sockets.values();
    expect(server?.conn.readyState).toBe('open');
    resume();
    await expectBoth(client, done);
  });

  it('[I-1] receives no event frame within or before a message if a little is waiting', async () => {
    const { namespace, client, done, emit, append, resume } = await startPaused();
    const [server] = namespace.sockets.values();
    const stuck = async () => {
      for (let turn = 0; turn < 20; turn++) {
        if (server?.conn.transport.writable) return false;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return true;
    };
    while (!(await stuck())) emit(10_000);
    for (let round = 0; round < 5; round++) {
      emit(100);
      await append(1, 0);
      // Enough turns for the gateway to read the event and to write it, if it did.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    resume();
    await expectBoth(client, done);
  });
});

describe('A client that polls rarely', () => {
  it('[I-7][I-1][I-2][I-3] costs no more than its buffer, and receives everything in order when it polls', async () => {
    const { gateway, http, append } = await startGateway();
    const client = await PollingClient.open(http(''));
    await client.say(connectPacket('/events', { names: 'event' }));
    await client.untilPackets(2);
    const emitted = 50;
    for (let n = 1; n <= emitted; n++) {
      gateway.io.of('/events').emit('message', n, 0);
      await append(100, { padding: 1_000 });
    }
    const events: number[] = [];
    const messages: number[] = [];
    const sizes: number[] = [];
    while (events.length < 5_000 || messages.length < emitted) {
      const packets = await client.packets();
      sizes.push(packets.join('').length);
      for (const packet of packets) {
        const [name, what] = packet === '2' ? [] : JSON.parse(packet.slice('42/events,'.length));
        if (name === 'event') events.push(numberOf(what));
        else if (name === 'message') messages.push(what);
      }
    }
    expect(events).toEqual(numbers(1, 5_000));
    expect(messages).toEqual(numbers(1, emitted));
    expect(Math.max(...sizes)).toBeLessThan(400_000);
  });
});

function isPausable(value: unknown): value is { pause(): void; resume(): void } {
  return typeof Reflect.get(Object(value), 'pause') === 'function';
}
