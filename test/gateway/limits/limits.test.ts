import { isEvent } from '@pregon/protocol';
import type { GatewayOptions, Refused } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ADDRESSED_CLIENTS, connectAs } from '../../support/access/addressed-clients.js';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { RecordingComponent } from '../../support/gateway/applications/recording-component.js';
import { type Frame, FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { resetConnections } from '../../support/gateway/resets.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { eventually } from '../../support/waiting.js';

const ADDRESS = '203.0.113.7';
const OTHER = '203.0.113.8';

const AUTH: Partial<GatewayOptions> = {
  auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
  routes: {
    events: { path: '/events', allow: [{ subscribe: 'user.{sub}.#' }, { kind: 'service', if: { app: true } }] },
    news: { path: '/news', access: 'public' },
  },
};

/** A gateway behind a trusted proxy, and the refusals that it reports. */
async function start(options: Partial<GatewayOptions> = {}) {
  const refused: Refused[] = [];
  const gateway = await startGateway({
    ...(options.auth ? {} : { access: 'public' }),
    trustedProxies: ['127.0.0.1'],
    observers: [{ refused: (told) => refused.push(told) }],
    ...options,
  });
  return { ...gateway, refused };
}

/** The code that a pregon.v1 client is told; others get the status. */
const told = (transport: string) => (transport === 'pregon.v1' ? 4006 : 429);

describe.each(Object.keys(ADDRESSED_CLIENTS))('[H-08] Clients of %s', (transport) => {
  it('have a limited number of connections at one address, until they leave', async () => {
    const gateway = await start({ maxConnectionsPerAddress: 2 });
    const first = await connectAs(transport, gateway, { address: ADDRESS });
    expect(first.outcome).toBe('open');
    expect(await connectAs(transport, gateway, { address: ADDRESS })).toMatchObject({ outcome: 'open' });

    const third = await connectAs(transport, gateway, { address: ADDRESS });
    expect(third.outcome).toBe(told(transport));
    if (transport === 'plain WebSocket' || transport === 'an event stream') expect(third.retryAfter).toBe('10');
    expect(gateway.refused).toMatchObject([
      {
        reason: 'address connections',
        remedy: expect.stringMatching(/^203\.0\.113\.7 has 2: .*maxConnectionsPerAddress/),
      },
    ]);
    expect(await connectAs(transport, gateway, { address: OTHER })).toMatchObject({ outcome: 'open' });

    first.close();
    await eventually(
      async () => (await connectAs(transport, gateway, { address: ADDRESS })).outcome,
      (outcome) => outcome === 'open',
    );
    expect(await connectAs(transport, gateway, { address: ADDRESS })).toMatchObject({ outcome: told(transport) });
  });

  it('connect from one address at a limited rate, after a burst', async () => {
    const gateway = await start({ maxHandshakesPerSecond: 1, handshakeBurst: 3 });
    // Not one a second: a slow machine must not refill the bucket between two of them.
    const many = Array.from({ length: 60 }, () => connectAs(transport, gateway, { address: ADDRESS }));
    const outcomes = (await Promise.all(many)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'open').length).toBeGreaterThanOrEqual(3);
    expect(outcomes).toContain(told(transport));
    expect(new Set(gateway.refused.map(({ reason }) => reason))).toEqual(new Set(['address handshakes']));
    expect(await connectAs(transport, gateway, { address: OTHER })).toMatchObject({ outcome: 'open' });
  });

  it('have a limited number of connections for one identity, at all addresses', async () => {
    const gateway = await start({ ...AUTH, maxConnectionsPerIdentity: 2 });
    const token = await signToken({ sub: 'ada' });
    const first = await connectAs(transport, gateway, { address: ADDRESS, token });
    expect(first.outcome).toBe('open');
    expect(await connectAs(transport, gateway, { address: '127.0.0.1', token })).toMatchObject({ outcome: 'open' });
    const again = await signToken({ sub: 'ada', again: true });
    expect(await connectAs(transport, gateway, { address: OTHER, token: again })).toMatchObject({
      outcome: told(transport),
    });
    expect(gateway.refused).toMatchObject([{ reason: 'identity connections' }]);
    const grace = await signToken({ sub: 'grace' });
    expect(await connectAs(transport, gateway, { address: OTHER, token: grace })).toMatchObject({ outcome: 'open' });

    first.close();
    await eventually(
      async () => (await connectAs(transport, gateway, { address: OTHER, token })).outcome,
      (outcome) => outcome === 'open',
    );
  });

  it('of a service are not limited by identity', async () => {
    const gateway = await start({ ...AUTH, maxConnectionsPerIdentity: 1 });
    const token = await signToken({ sub: 'robot', app: true });
    for (let n = 0; n < 3; n++) {
      expect(await connectAs(transport, gateway, { address: ADDRESS, token })).toMatchObject({ outcome: 'open' });
    }
  });

  it('with refused tokens are refused before the next token is verified; tokens that were verified before get in', async () => {
    const gateway = await start({ ...AUTH, maxFailedAuthenticationsPerMinute: 3 });
    const good = await signToken({ sub: 'ada' });
    expect(await connectAs(transport, gateway, { address: ADDRESS, token: good })).toMatchObject({ outcome: 'open' });
    const unauthorized = transport === 'pregon.v1' ? 4505 : 401;
    // Not one after the other: on a slow machine, the address would have a new try each time.
    const guesses = Array.from({ length: 60 }, (_, n) => `${good.slice(0, -4)}AA${n + 10}`);
    const guess = (token: string) => connectAs(transport, gateway, { address: ADDRESS, token });
    const outcomes = (await Promise.all(guesses.map(guess))).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === unauthorized).length).toBeGreaterThanOrEqual(3);
    expect(outcomes).toContain(told(transport));
    expect(new Set(outcomes)).toEqual(new Set([unauthorized, told(transport)]));
    const unknown = await signToken({ sub: 'grace' });
    expect(await connectAs(transport, gateway, { address: ADDRESS, token: good })).toMatchObject({ outcome: 'open' });
    expect(await connectAs(transport, gateway, { address: OTHER, token: unknown })).toMatchObject({ outcome: 'open' });
    expect(await connectAs(transport, gateway, { address: ADDRESS, path: '/news' })).toMatchObject({ outcome: 'open' });
  });

  it('with expired or missing tokens do not count as failed', async () => {
    const gateway = await start({ ...AUTH, maxFailedAuthenticationsPerMinute: 1 });
    const expired = await signToken({ sub: 'ada' }, { expiresInS: -60 });
    for (let n = 0; n < 3; n++) {
      await connectAs(transport, gateway, { address: ADDRESS, token: expired });
      await connectAs(transport, gateway, { address: ADDRESS });
    }
    const good = await signToken({ sub: 'ada' });
    expect(await connectAs(transport, gateway, { address: ADDRESS, token: good })).toMatchObject({ outcome: 'open' });
  });

  it('are not limited at loopback addresses, unless no address is exempt', async () => {
    const limits = { maxConnectionsPerAddress: 1, trustedProxies: [] };
    const exempt = await start(limits);
    const limited = await start({ ...limits, exemptAddresses: [] });
    for (const gateway of [exempt, limited]) await connectAs(transport, gateway, { address: ADDRESS });
    expect(await connectAs(transport, exempt, { address: ADDRESS })).toMatchObject({ outcome: 'open' });
    expect(await connectAs(transport, limited, { address: ADDRESS })).toMatchObject({ outcome: told(transport) });
  });
});

describe('[H-08] The limits of clients', () => {
  it('are the same for all transports and components together', async () => {
    const gateway = await start({ maxConnectionsPerAddress: 6 });
    gateway.gateway.mount('/chat', new RecordingComponent());
    const chat = () => connectAs('plain WebSocket', gateway, { address: ADDRESS, path: '/chat' });
    expect(await chat()).toMatchObject({ outcome: 'open' });
    for (const transport of Object.keys(ADDRESSED_CLIENTS)) {
      expect(await connectAs(transport, gateway, { address: ADDRESS })).toMatchObject({ outcome: 'open' });
    }
    expect(await chat()).toMatchObject({ outcome: 429, retryAfter: '10' });
  });

  it('count a session of Socket.IO once, in however many namespaces it is', async () => {
    const gateway = await start({ maxConnectionsPerAddress: 2, maxConnectionsPerIdentity: 2, ...AUTH });
    const token = await signToken();
    const open = async () => {
      const options = {
        extraHeaders: { 'X-Forwarded-For': ADDRESS },
        auth: { token },
        transports: ['polling', 'websocket'],
      };
      const client = await SocketIoClient.open(gateway.http('/events'), options);
      const second = client.socket.io.socket('/news', { auth: { token } });
      await new Promise((resolve) => second.on('connect', () => resolve(undefined)));
    };
    await open();
    await open();
    expect(await connectAs('plain WebSocket', gateway, { address: ADDRESS, token })).toMatchObject({ outcome: 429 });
  });

  it('count a client for the identity with which it signs in on its open connection, until it signs out or leaves', async () => {
    const gateway = await start({ ...AUTH, maxConnectionsPerIdentity: 2, maxConnectionsPerAddress: 3 });
    const token = await signToken();
    const headers = { 'X-Forwarded-For': ADDRESS };
    const open = () => FramesClient.open(gateway.ws('/news'), { headers });
    const clients = [await open(), await open(), await open()];
    // A token in the first frame would be that of the handshake.
    for (const client of clients) await client.subscribe({ id: 0 });
    const authorize = async (client: FramesClient | undefined, id: number) => {
      client?.send({ op: 'auth', id, token });
      return client?.frames.first((frame): frame is Frame => !isEvent(frame) && 'id' in frame && frame.id === id);
    };
    expect(await authorize(clients[0], 1)).toMatchObject({ op: 'authorized', sub: 'ada' });
    expect(await authorize(clients[1], 1)).toMatchObject({ op: 'authorized' });
    // It has the identity already, and its address has as many connections as it may.
    expect(await authorize(clients[1], 2)).toMatchObject({ op: 'authorized' });
    expect(await authorize(clients[2], 1)).toMatchObject({ op: 'error', code: 'RATE_LIMITED', retryAfterMs: 10_000 });

    clients[0]?.send({ op: 'auth', id: 3, token: null });
    await clients[0]?.frames.first((frame): frame is Frame => !isEvent(frame) && 'id' in frame && frame.id === 3);
    expect(await authorize(clients[2], 2)).toMatchObject({ op: 'authorized' });
    clients[1]?.socket.terminate();
    await eventually(
      async () => (await connectAs('plain WebSocket', gateway, { address: OTHER, token })).outcome,
      (outcome) => outcome === 'open',
    );
    expect(await connectAs('plain WebSocket', gateway, { address: OTHER, token })).toMatchObject({ outcome: 429 });
  });

  it('count a client for the identity of its handshake until it signs out', async () => {
    const gateway = await start({ ...AUTH, maxConnectionsPerIdentity: 1 });
    const token = await signToken();
    const client = await FramesClient.open(gateway.ws('/news'), { headers: { Authorization: `Bearer ${token}` } });
    const other = { address: OTHER, token };
    expect(await connectAs('plain WebSocket', gateway, other)).toMatchObject({ outcome: 429 });
    expect(await client.answer({ op: 'auth', id: 1, token: null })).toMatchObject({ op: 'authorized' });
    expect(await connectAs('plain WebSocket', gateway, other)).toMatchObject({ outcome: 'open' });
    // The client that has signed out is still there.
    expect(await client.answer({ op: 'auth', id: 2, token })).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('[I-9] let a connection renew its token, and neighbours connect, while an address is full of refused tokens', async () => {
    // Without the tries, one token would be verified in a minute.
    const gateway = await start({ ...AUTH, maxFailedAuthenticationsPerMinute: 1 });
    const headers = { 'X-Forwarded-For': ADDRESS, Authorization: `Bearer ${await signToken({ sub: 'ada' })}` };
    const client = await FramesClient.open(gateway.ws('/events'), { headers });
    const guess = async () => {
      const token = await signToken({ sub: 'ada' }, { secret: `${SECRET}!` });
      return (await connectAs('plain WebSocket', gateway, { address: ADDRESS, token })).outcome;
    };
    const flood = async () => expect(await Promise.all(Array.from({ length: 40 }, guess))).toContain(429);
    await flood();
    const answer = await client.answer({ op: 'auth', id: 1, token: await signToken({ sub: 'ada', again: true }) });
    expect(answer).toMatchObject({ op: 'authorized', sub: 'ada' });
    await eventually(
      async () => {
        const token = await signToken({ sub: 'grace' });
        return (await connectAs('plain WebSocket', gateway, { address: ADDRESS, token })).outcome;
      },
      (outcome) => outcome === 'open',
    );
  });

  it('let an EventSource try again, which gives up after any status', async () => {
    const gateway = await start({ maxConnectionsPerAddress: 1 });
    const first = await connectAs('plain WebSocket', gateway, { address: ADDRESS });
    const stream = new StreamClient(gateway.http('/events'), { 'X-Forwarded-For': ADDRESS });
    expect(await stream.failures.count(1)).toEqual([undefined]);
    expect(gateway.refused[0]).toMatchObject({ reason: 'address connections' });
    first.close();
    await stream.block('subscribed', 60_000);
  });

  it('tell a page by a close code', async () => {
    const gateway = await start({ maxConnectionsPerAddress: 1 });
    await connectAs('plain WebSocket', gateway, { address: ADDRESS });
    const page = { headers: { 'X-Forwarded-For': ADDRESS, Origin: 'http://localhost' } };
    const client = await PlainClient.open(gateway.ws('/events'), page);
    expect(await client.whenClosed()).toEqual({ code: 4006, reason: 'too many connections from this address' });
  });

  it('leave room for other addresses when the clients of one wait for a decision that never comes', async () => {
    const waiting: string[] = [];
    const gateway = await start({
      admissions: [
        {
          name: 'slow',
          admit({ remoteAddress }) {
            if (remoteAddress === OTHER) return Promise.resolve(undefined);
            waiting.push(remoteAddress);
            return new Promise(() => {});
          },
        },
      ],
    });
    const headers = { 'X-Forwarded-For': ADDRESS };
    for (let n = 0; n < 20; n++) void refusal(gateway.ws('/events'), { headers }).catch(() => {});
    await eventually(
      () => waiting.length,
      (count) => count === 20,
    );
    const { statusCode, headers: answer } = await refusal(gateway.ws('/events'), { headers });
    expect([statusCode, answer['retry-after']]).toEqual([429, '1']);
    expect(await connectAs('plain WebSocket', gateway, { address: OTHER })).toMatchObject({ outcome: 'open' });
  });

  it('leave no count behind after a storm of connections that are reset at any moment', async () => {
    const most = 100;
    const gateway = await start({
      exemptAddresses: [],
      maxConnectionsPerAddress: most,
      maxHandshakesPerSecond: 0,
      // A session of long polling ends when its client has been silent.
      heartbeatMs: 500,
      admissions: [{ name: 'later', admit: () => new Promise((resolve) => setTimeout(resolve, 2)) }],
    });
    gateway.gateway.mount('/chat/:room', new RecordingComponent());
    await resetConnections(gateway.port, 3_000);
    const open = new Set<{ close(): void }>();
    await eventually(
      async () => {
        const attempt = await connectAs('plain WebSocket', gateway, { address: '127.0.0.1' });
        if (attempt.outcome === 'open') open.add(attempt);
        return open.size;
      },
      (count) => count === most,
    );
    expect(await connectAs('plain WebSocket', gateway, { address: '127.0.0.1' })).toMatchObject({ outcome: 429 });
  });

  it('must be whole numbers in range, and addresses', async () => {
    await expect(startGateway({ maxConnectionsPerAddress: -1 })).rejects.toThrow('must be at least 0');
    await expect(startGateway({ handshakeBurst: 0 })).rejects.toThrow('handshakeBurst must be at least 1');
    await expect(startGateway({ exemptAddresses: ['loopback'] })).rejects.toThrow(
      'exemptAddresses: "loopback" is neither an address nor a subnet',
    );
  });
});
