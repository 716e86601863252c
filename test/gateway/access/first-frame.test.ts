import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { encodeFrame } from '@pregon/protocol';
import type { GatewayOptions, Identity } from 'pregon';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { afterTest } from '../../support/cleanup.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { eventually } from '../../support/waiting.js';

/** Starts a gateway with one route, where a token is needed, and tells which connections its handlers saw. */
async function start(options: Partial<GatewayOptions> = {}) {
  const opened: (string | undefined)[] = [];
  const received: unknown[] = [];
  const handlers = [
    {
      opened: ({ identity }: { identity: Identity | undefined }) => void opened.push(identity?.sub),
      message: (_: unknown, data: unknown) => void received.push(data),
    },
  ];
  const gateway = await startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }] },
    routes: {
      events: {
        path: '/events',
        allow: [{ subscribe: 'user.{sub}.#' }, { send: '*' }],
        handlers,
        compression: true,
      },
    },
    ...options,
  });
  return { gateway, opened, received };
}

/** A client that has completed the handshake, and has shown no token. */
async function connect({ ws }: TestGateway, options: { perMessageDeflate?: boolean } = {}): Promise<FramesClient> {
  const client = new FramesClient(ws('/events'), options);
  await once(client.socket, 'open');
  return client;
}

describe('[I-9] [H-04] A client of pregon.v1 that brings no token in its handshake', () => {
  it.each([false, true])('is admitted by a token in its first frame (compression: %s)', async (perMessageDeflate) => {
    const { gateway, opened, received } = await start();
    const client = await connect(gateway, { perMessageDeflate });
    expect(opened).toEqual([]);
    client.send({ op: 'auth', id: 1, token: await signToken() });
    client.send({ op: 'send', id: 2, name: 'long', data: 'x'.repeat(100_000) });
    expect(await client.subscribe({ id: 3, topics: ['user.ada.#'] })).toMatchObject({ op: 'subscribed' });
    expect(client.frames.all.slice(0, 2)).toEqual([
      expect.objectContaining({ op: 'welcome' }),
      { op: 'authorized', id: 1, sub: 'ada', expiresInMs: expect.any(Number) },
    ]);
    expect([opened, received.length]).toEqual([['ada'], 1]);
    const topics = ['user.eve.x', 'user.ada.x'];
    await gateway.append(2, { topic: (n) => topics[n - 1] ?? '' });
    expect(await client.numbers(3, 1)).toEqual([2]);
    expect(await client.subscribe({ id: 4, topics: ['user.eve.#'] })).toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each<[name: string, text: string | Buffer, code: number]>([
    ['subscribes first', encodeFrame({ op: 'subscribe', id: 1 }), 4505],
    ['sends a message first', encodeFrame({ op: 'send', name: 'x' }), 4505],
    ['sends a ping first', encodeFrame({ op: 'ping' }), 4505],
    ['sends a token of null', encodeFrame({ op: 'auth', token: null }), 4505],
    ['sends an empty token', encodeFrame({ op: 'auth', token: '' }), 4505],
    ['sends no token', '{"op":"auth"}', 4505],
    ['sends no JSON', '{', 4505],
    ['sends deep JSON', '['.repeat(8_000), 4505],
    ['sends bytes', Buffer.from('{"op":"auth","token":"x"}'), 4505],
    ['sends more than 16 KB', encodeFrame({ op: 'auth', token: 'x'.repeat(16_384) }), 1009],
    ['sends a token that is none', encodeFrame({ op: 'auth', token: 'x'.repeat(9_000) }), 4505],
  ])('is closed without a frame, and seen by no handler, if it %s', async (_, frame, code) => {
    const { gateway, opened, received } = await start();
    const client = await connect(gateway);
    client.socket.send(frame);
    client.send({ op: 'send', name: 'later' });
    expect((await client.whenClosed()).code).toBe(code);
    expect([client.frames.all, opened, received]).toEqual([[], [], []]);
  });

  it('is told by the close code what is wrong with its token', async () => {
    const { gateway } = await start();
    const tokens = [
      await signToken({}, { secret: `another ${SECRET}` }),
      await signToken({}, { expiresInS: -60 }),
      await signToken({ sub: '#' }),
    ];
    const told = [];
    for (const token of tokens) {
      const client = await connect(gateway);
      client.send({ op: 'auth', token });
      told.push(await client.whenClosed());
    }
    expect(told).toEqual([
      { code: 4505, reason: 'the signature of the token is wrong' },
      { code: 4005, reason: 'the token has expired' },
      { code: 4504, reason: expect.stringContaining('"sub"') },
    ]);
  });

  it('is closed with 4505 if it sends nothing for five seconds', async () => {
    const { gateway, opened } = await start();
    const since = performance.now();
    const client = await connect(gateway);
    expect(await client.whenClosed()).toEqual({ code: 4505, reason: 'a token is needed here' });
    expect(performance.now() - since).toBeGreaterThan(4_900);
    expect([client.frames.all, opened]).toEqual([[], []]);
  });

  it('is refused if a bad token came in the handshake: a first frame does not mend it', async () => {
    const { gateway } = await start();
    const client = new FramesClient(gateway.ws('/events'), { headers: { Authorization: 'Bearer nonsense' } });
    client.socket.once('open', () => client.send({ op: 'auth', token: 'late' }));
    expect((await client.whenClosed()).code).toBe(4505);
  });

  it('leaves no trace if it goes while its token is verified', async () => {
    const waiting: (() => void)[] = [];
    const { gateway, opened } = await start({
      auth: {
        verify: ({ token }) =>
          token === undefined
            ? undefined
            : new Promise((resolve) => waiting.push(() => resolve({ iss: 'shop', sub: 'ada' }))),
      },
    });
    const [gone, here] = [await connect(gateway), await connect(gateway)];
    for (const client of [gone, here]) client.send({ op: 'auth', token: 'opaque' });
    await eventually(
      () => waiting.length,
      (count) => count === 2,
    );
    gone.socket.terminate();
    for (const go of waiting) go();
    expect(await here.control('authorized')).toMatchObject({ sub: 'ada' });
    expect(opened).toEqual(['ada']);
    expect(gateway.gateway.connections('events').count).toBe(1);
  });

  it('does not keep a gateway from closing', async () => {
    const { gateway } = await start();
    const client = await connect(gateway);
    await gateway.gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    await client.whenClosed();
  });
});

describe('[I-7] [H-04] At most a thousand clients may be pending', () => {
  it('and the next one is refused until one of them has left', async () => {
    const { gateway } = await start();
    const pending = new Set<Socket>();
    let most = 0;
    // On a slow machine, the first clients are closed before the last ones connect: then more of them connect.
    const refused = async () => {
      const statuses = await Promise.all(Array.from({ length: 100 }, () => handshake(gateway.port, pending)));
      most = Math.max(most, pending.size);
      return statuses.includes(503);
    };
    await eventually(refused, (isFull) => isFull);
    expect(most).toBeGreaterThan(900);
    for (const socket of pending) socket.destroy();
    await eventually(
      () => handshake(gateway.port, pending),
      (status) => status === 101,
    );
  });

  /** Connects without the cost of a WebSocket client. @returns the status */
  async function handshake(port: number, pending: Set<Socket>): Promise<number> {
    const socket = connectTcp(port, '127.0.0.1');
    afterTest(() => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => pending.delete(socket));
    const headers = [
      'GET /events HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: pregon.v1',
    ];
    socket.write(`${headers.join('\r\n')}\r\n\r\n`);
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(data.toString()));
      socket.once('close', () => resolve(''));
    });
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
    // What follows is the close frame after the deadline.
    socket.once('data', () => socket.destroy());
    if (status === 101) pending.add(socket);
    return status;
  }
});
