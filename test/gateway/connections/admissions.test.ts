import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Admission, AdmissionRequest, Decision, Gateway, Identity } from 'pregon';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';

/** Resolves with what a client learns: that it is connected, or the status that it is refused with. */
type Attempt = (gateway: TestGateway) => Promise<'connected' | number>;

const COMPONENT = { onOpen() {}, onMessage() {}, onClose() {}, onError() {} };

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '',
].join('\r\n');

const STREAM = 'Accept: text/event-stream\r\n';

interface TestedEntrance {
  readonly kind: string;
  readonly name: string;
  readonly path: string;
  readonly isUpgrade: boolean;
  readonly attempt: Attempt;
}

const route = { kind: 'route', name: 'events', path: '/events' };
const socketIo = { kind: 'socket.io', name: '/socket.io' };
const byWebSocket = '/socket.io/?EIO=4&transport=websocket';
const byPolling = '/socket.io/?EIO=4&transport=polling';

/** Each entrance of a gateway, and a client that tries it. */
const ENTRANCES: Readonly<Record<string, TestedEntrance>> = {
  'plain WebSocket': { ...route, isUpgrade: true, attempt: ({ ws }) => webSocket(ws('/events')) },
  'pregon.v1': { ...route, isUpgrade: true, attempt: ({ ws }) => webSocket(ws('/events'), ['pregon.v1']) },
  'an event stream': { ...route, isUpgrade: false, attempt: ({ http }) => stream(http('/events')) },
  'Socket.IO by WebSocket': {
    ...socketIo,
    path: byWebSocket,
    isUpgrade: true,
    attempt: ({ ws }) => webSocket(ws(byWebSocket)),
  },
  'Socket.IO by long polling': {
    ...socketIo,
    path: byPolling,
    isUpgrade: false,
    attempt: ({ http }) => stream(http(byPolling)),
  },
  'a component': {
    kind: 'component',
    name: '/chat/:room',
    path: '/chat/1',
    isUpgrade: true,
    attempt: ({ ws }) => webSocket(ws('/chat/1')),
  },
};

async function webSocket(url: string, protocols: string[] = []): Promise<'connected' | number> {
  const socket = new WebSocket(url, protocols);
  onTestFinished(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve('connected'));
    socket.on('unexpected-response', (_, { statusCode }) => {
      socket.on('error', () => {});
      socket.terminate();
      resolve(statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

async function stream(url: string): Promise<'connected' | number> {
  const asked = get(url, { headers: { Accept: 'text/event-stream' }, agent: false });
  onTestFinished(() => void asked.destroy());
  const [response]: IncomingMessage[] = await once(asked, 'response');
  return response?.statusCode === 200 ? 'connected' : (response?.statusCode ?? 0);
}

async function start(admit: Admission['admit']): Promise<TestGateway> {
  const started = await startGateway({ admissions: [{ name: 'of the test', admit }] });
  started.gateway.mount('/chat/:room', COMPONENT);
  return started;
}

function connectionsOf({ gateway }: { gateway: Gateway }): number {
  return gateway.connections('events').count;
}

describe.each(Object.entries(ENTRANCES))(
  '[I-9] an admission at the entrance of %s',
  (_, { attempt, kind, name, path, isUpgrade }) => {
    it('admits a client, at once or after a promise', async () => {
      const asked: AdmissionRequest[] = [];
      for (const decision of [undefined, Promise.resolve(undefined)]) {
        const gateway = await start((admissionRequest) => {
          asked.push(admissionRequest);
          return decision;
        });
        expect(await attempt(gateway)).toBe('connected');
      }
      expect(asked.map(({ entrance }) => entrance)).toEqual([
        { kind, name },
        { kind, name },
      ]);
      const [first] = asked;
      expect(first).toMatchObject({ method: 'GET', isNew: true, remoteAddress: '127.0.0.1' });
      expect(first?.url).toMatch(/^\//);
      expect(first?.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
    });

    it('refuses a client with its own status, at once or after a promise', async () => {
      const refusal: Decision = { status: 403, message: 'not today' };
      for (const decision of [refusal, Promise.resolve(refusal)]) {
        const gateway = await start(() => decision);
        expect(await attempt(gateway)).toBe(403);
        expect(connectionsOf(gateway)).toBe(0);
      }
    });

    it('admits nobody if it throws or rejects', async () => {
      const failing: readonly Admission['admit'][] = [
        () => {
          throw new Error('no');
        },
        () => Promise.reject(new Error('no')),
      ];
      for (const admit of failing) {
        const gateway = await start(admit);
        // An event stream is not answered at all then: an EventSource would never ask again.
        const outcome = await attempt(gateway).catch(() => 503);
        expect(outcome).toBe(503);
        expect(connectionsOf(gateway)).toBe(0);
      }
    });

    it('is not asked about a page of an unknown origin', async () => {
      let asked = 0;
      const gateway = await start(() => {
        asked += 1;
        return undefined;
      });
      const response = await fetch(gateway.http(path), {
        headers: { Origin: 'https://evil.example', Accept: 'text/event-stream' },
      });
      expect(response.status).toBe(403);
      expect(asked).toBe(0);
    });

    it('[I-8] a client that leaves while it waits leaves nothing behind', async () => {
      const decide: ((decision: Decision) => void)[] = [];
      const gateway = await start(() => new Promise((resolve) => decide.push(resolve)));
      const client = connect(gateway.port, '127.0.0.1');
      client.on('error', () => {});
      client.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${isUpgrade ? UPGRADE : STREAM}\r\n`);
      await expect.poll(() => decide.length).toBe(1);
      client.resetAndDestroy();
      await once(client, 'close');
      decide[0]?.({ identity: { iss: 'shop', sub: 'ada' } });
      // The gateway goes on, and has no connection of it.
      const next = attempt(gateway);
      await expect.poll(() => decide.length).toBe(2);
      decide[1]?.(undefined);
      expect(await next).toBe('connected');
      await expect.poll(() => connectionsOf(gateway)).toBe(kind === 'route' ? 1 : 0);
    });
  },
);

describe('the identity that an admission finds', () => {
  const identity: Identity = { iss: 'shop', sub: 'ada', claims: { role: 'admin' } };

  it('belongs to each connection of a route, on every transport', async () => {
    const gateway = await start(async () => ({ identity }));
    await webSocket(gateway.ws('/events'));
    await FramesClient.open(gateway.ws('/events'));
    await stream(gateway.http('/events'));
    for (const [, transports] of WAYS) {
      await SocketIoClient.open(gateway.http('/events'), { transports: [...transports] });
    }
    await expect.poll(() => connectionsOf(gateway)).toBe(6);
    expect([...gateway.gateway.connections('events')].map((connection) => connection.identity)).toEqual(
      Array.from({ length: 6 }, () => ({ ...identity, issuedAtMs: expect.any(Number) })),
    );
  });

  it('belongs to a connection of a component', async () => {
    const gateway = await startGateway({ admissions: [{ name: 'all', admit: () => ({ identity }) }] });
    const opened = new Promise<unknown>((resolve) => {
      gateway.gateway.mount('/chat', { ...COMPONENT, onOpen: (connection) => resolve(connection.identity) });
    });
    await webSocket(gateway.ws('/chat'));
    expect(await opened).toEqual({ ...identity, issuedAtMs: expect.any(Number) });
  });

  it('is decided when a session of long polling begins; later requests of the session are not new clients', async () => {
    const asked: boolean[] = [];
    const gateway = await start(({ isNew, entrance }) => {
      if (entrance.kind === 'socket.io') asked.push(isNew);
      return undefined;
    });
    const client = await SocketIoClient.open(gateway.http('/events'), { transports: ['polling'] });
    expect(client.socket.connected).toBe(true);
    expect(asked[0]).toBe(true);
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked.slice(1))).toEqual(new Set([false]));
  });

  it('is decided for a request that begins a session of long polling, also if it names another session too', async () => {
    const asked: boolean[] = [];
    const gateway = await start(({ isNew }) => void asked.push(isNew));
    const open = async (more = '') => {
      const response = await fetch(gateway.http(`/socket.io/?EIO=4&transport=polling${more}`));
      return String(Reflect.get(JSON.parse((await response.text()).slice(1)), 'sid'));
    };
    const first = await open();
    expect(await open(`&sid=${first}&sid=`)).not.toBe(first);
    expect(asked).toEqual([true, true]);
  });
});

describe('admissions of a gateway', () => {
  it('are checked when the gateway is made', async () => {
    const wrong: unknown[] = [{ name: 'a' }, { admit() {} }, undefined];
    for (const admission of wrong) {
      await expect(startGateway(Object.assign(Object.create(null), { admissions: [admission] }))).rejects.toThrow(
        TypeError,
      );
    }
  });

  it('do not admit a client that waited until the gateway began to go away', async () => {
    const decide: ((decision: Decision) => void)[] = [];
    const gateway = await start(() => new Promise((resolve) => decide.push(resolve)));
    const waiting = webSocket(gateway.ws('/events'));
    await expect.poll(() => decide.length).toBe(1);
    const closing = gateway.gateway.close({ spreadMs: 0 });
    decide[0]?.(undefined);
    expect(await waiting.catch(() => 503)).toBe(503);
    await closing;
  });

  it('[I-7] that all decide in the same moment make no turn of the event loop long', async () => {
    const decide: ((decision: Decision) => void)[] = [];
    const gateway = await start(() => new Promise((resolve) => decide.push(resolve)));
    const clients = Array.from({ length: 300 }, () => new WebSocket(gateway.ws('/events')));
    onTestFinished(() => {
      for (const client of clients) client.terminate();
    });
    await expect.poll(() => decide.length).toBe(300);
    let turns = 0;
    const count = () => {
      turns += 1;
      if (connectionsOf(gateway) < 300) setImmediate(count);
    };
    for (const resolve of decide) resolve(undefined);
    setImmediate(count);
    await expect.poll(() => connectionsOf(gateway)).toBe(300);
    // Spread over turns, of which each admits a few.
    expect(turns).toBeGreaterThan(5);
  });
});
