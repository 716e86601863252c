import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numbers, startGateway } from '../support/gateway/gateway.js';
import { SocketIoClient, type Transports, WAYS } from '../support/gateway/socketio-client.js';

/** What happens next on a gateway: so many events are appended, so many messages are emitted, and then something is waited for. */
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

/** What a client must have had in the end: both kinds whole and in order, however they came between each other. */
async function expectBoth(client: SocketIoClient, events: number, messages: number): Promise<void> {
  await client.count('message', messages, 25_000);
  await client.received.until(() => client.of('event').length >= events, `${events} events`, 25_000);
  expect(client.of('message').map(([n]) => n)).toEqual(numbers(1, messages));
  expect(client.numbers()).toEqual(numbers(1, events));
}

async function runSteps(transports: Transports, plan: readonly Step[]): Promise<void> {
  const { gateway, http, append } = await startGateway();
  const client = await SocketIoClient.open(http('/events'), { transports: [...transports], auth: { names: 'event' } });
  await client.count('subscribed', 1);
  let messages = 0;
  let events = 0;
  for (const { events: more, messages: emitted, bytes, pause } of plan) {
    const appended = append(more, { padding: bytes });
    events += more;
    for (let n = 0; n < emitted; n++) {
      messages += 1;
      const rest = n % 3 === 0 ? [Buffer.alloc(bytes)] : ['x'.repeat(bytes)];
      gateway.io.of('/events').emit('message', messages, ...rest, 0);
    }
    if (pause === 'turn') await new Promise((resolve) => setImmediate(resolve));
    if (pause === 'timer') await new Promise((resolve) => setTimeout(resolve, 3));
    await appended;
  }
  await expectBoth(client, events, messages);
  client.socket.disconnect();
  await gateway.close({ spreadMs: 0 });
}

describe.each(WAYS)('a client by %s that is emitted to while events come', (_, transports) => {
  it('[I-1][I-2][I-3] has both kinds whole and in order, whatever comes between what', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (plan) => runSteps(transports, plan)),
      { numRuns: 8 },
    );
  }, 120_000);

  it('[I-8] has its events while there is always something emitted too', async () => {
    const { gateway, http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), {
      transports: [...transports],
      auth: { names: 'event' },
    });
    await client.count('subscribed', 1);
    let emitted = 0;
    const emitting = setInterval(() => {
      for (let n = 0; n < 5; n++) gateway.io.of('/events').emit('message', ++emitted, 0);
    }, 1);
    try {
      await append(500);
      await client.count('event', 500, 5_000);
    } finally {
      clearInterval(emitting);
    }
    await expectBoth(client, 500, emitted);
  });
});

describe('a client that does not read for a while', () => {
  it('[I-1][I-2][I-3][G-2] has messages and events whole and in order when it reads on', async () => {
    const { gateway, http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), { transports: ['websocket'], auth: { names: 'event' } });
    await client.count('subscribed', 1);
    const socket: unknown = Reflect.get(Reflect.get(client.socket.io.engine.transport, 'ws'), '_socket');
    if (!isPausable(socket)) throw new Error('the WebSocket has no socket of its own');
    socket.pause();
    const messages = 400;
    for (let n = 1; n <= messages; n++) {
      gateway.io.of('/events').emit('message', n, Buffer.alloc(20_000), 0);
      if (n % 40 === 0) await append(500, { padding: 1_000 });
    }
    const [server] = [...gateway.io.of('/events').sockets.values()];
    expect(server?.conn.readyState).toBe('open');
    socket.resume();
    await expectBoth(client, 5_000, messages);
  }, 60_000);
});

function isPausable(value: unknown): value is { pause(): void; resume(): void } {
  return typeof Reflect.get(Object(value), 'pause') === 'function';
}
