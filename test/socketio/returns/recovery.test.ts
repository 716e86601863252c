import { join } from 'node:path';
import type { Log, ReadRequest } from 'pregon';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { appender, numbers, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';

const EVENTS_ONLY = { names: 'event' };

/** The offset that a stock client sends when it returns. */
function offsetOf(client: SocketIoClient): unknown {
  return Reflect.get(client.socket, '_lastOffset');
}

function pidOf(client: SocketIoClient): unknown {
  return Reflect.get(client.socket, '_pid');
}

describe.each(WAYS)('[G-1] A stock client by %s', (_, transports) => {
  it('[I-2][I-3][001-10] recovers the missed events after kill -9 of the gateway, with the same id, and reports itself as recovered', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const options = { log: `sqlite:${logFile}` };
    const gateway = await GatewayProcess.start(options);
    const client = await SocketIoClient.open(gateway.http('/events'), { transports: [...transports] });
    await client.count('subscribed', 1);
    await append(5, { type: 'UserWasCreated' });
    await client.count('event', 5);
    const { id } = client.socket;
    await gateway.kill();
    await append(50, { type: 'UserWasCreated' });
    await GatewayProcess.start(options, { port: gateway.port });
    await client.count('event', 55);
    expect(client.recovered).toEqual([false, true]);
    expect(client.socket.id).toBe(id);
    expect(client.numbers()).toEqual(numbers(1, 55));
    expect(client.numbers('UserWasCreated')).toEqual(numbers(1, 55));
    expect(client.of('reset')).toEqual([]);
  });

  it('[I-2] recovers on another gateway, also if it has had no event yet', async () => {
    const { http, logFile, append } = await startGateway();
    const other = await startGateway({ logFile });
    let url = new URL(http('/events'));
    const client = await SocketIoClient.open(url.href, { transports: [...transports], auth: EVENTS_ONLY });
    await client.count('subscribed', 1);
    url = new URL(other.http('/events'));
    // As if a load balancer sent it to another gateway.
    Reflect.set(client.socket.io, 'uri', url.origin);
    client.breakOff();
    await append(7);
    await client.count('event', 7);
    expect(client.recovered).toEqual([false, true]);
    expect(client.numbers()).toEqual(numbers(1, 7));
    expect(other.gateway.connections('events').count).toBe(1);
  });
});

describe('[I-9] [H-03] A session that returns with another identity', () => {
  async function startWithRooms() {
    const { gateway, http } = await startGateway({
      auth: { verify: ({ token }) => (typeof token === 'string' ? { iss: 'shop', sub: token } : undefined) },
      routes: { events: { path: '/events', allow: [{ subscribe: 'public.#', who: 'anyone' }] } },
    });
    const entered: unknown[] = [];
    gateway.io.of('/events').on('connection', (socket) => {
      entered.push([socket.recovered, Reflect.get(Object(socket.data.identity), 'sub'), socket.rooms.has('ada only')]);
      if (Reflect.get(Object(socket.data.identity), 'sub') === 'ada') socket.join('ada only');
    });
    const client = await SocketIoClient.open(http('/events'), { transports: ['websocket'], auth: { token: 'ada' } });
    await client.count('subscribed', 1);
    return { client, entered };
  }

  it.each([
    ['another user', { token: 'grace' }, 'grace'],
    ['nobody', {}, undefined],
  ])('begins anew, without the rooms and data of the first one: %s', async (_, auth, sub) => {
    const { client, entered } = await startWithRooms();
    const { id } = client.socket;
    client.socket.auth = auth;
    client.breakOff();
    await client.count('subscribed', 2);
    expect(entered).toEqual([
      [false, 'ada', false],
      [false, sub, false],
    ]);
    expect(client.socket.id).not.toBe(id);
  });

  it('is restored for the same identity with another token', async () => {
    const { client, entered } = await startWithRooms();
    client.breakOff();
    await client.count('subscribed', 2);
    expect(entered).toEqual([
      [false, 'ada', false],
      [true, 'ada', true],
    ]);
  });
});

describe('[G-1] Recovery', () => {
  it('runs the middlewares and the checks again: a client that may no longer enter is refused', async () => {
    const { http, gateway } = await startGateway();
    let allowed = true;
    gateway.io.of('/events').use((socket, next) => {
      socket.data = { checked: true };
      next(allowed ? undefined : new Error('no longer'));
    });
    const client = await SocketIoClient.open(http('/events'));
    await client.count('subscribed', 1);
    client.breakOff();
    await client.connected(2);
    expect(client.recovered).toEqual([false, true]);
    allowed = false;
    const refused = new Promise<Error>((resolve) => client.socket.once('connect_error', resolve));
    client.breakOff();
    await expect(refused).resolves.toMatchObject({ message: 'no longer' });
  });

  it('is not misled by texts that the application emits, in any way', async () => {
    const { http, gateway, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), { auth: EVENTS_ONLY });
    await client.count('subscribed', 1);
    await append(1);
    await client.count('event', 1);
    const place = offsetOf(client);
    const namespace = gateway.io.of('/events');
    const [socket] = namespace.sockets.values();
    namespace.emit('news', 'a text');
    socket?.emit('hello');
    socket?.emit('hello', 1, 'two');
    socket?.compress(false).emit('hello', 'not compressed');
    gateway.io
      .of('/events')
      .to(socket?.id ?? '')
      .emit('hello', 'to a room');
    gateway.connections('events').broadcast('a text', { name: 'hello' });
    await client.count('news', 1);
    await client.count('hello', 5);
    socket?.volatile.emit('hello', 'volatile');
    await client.count('hello', 6);
    expect(client.of('news')[0]?.[0]).toBe('a text');
    expect(offsetOf(client)).toBe(place);
    client.breakOff();
    await append(2);
    await client.count('event', 3);
    expect(client.recovered).toEqual([false, true]);
    expect(client.numbers()).toEqual([1, 2, 3]);
  });

  it('completes an event if only the first of its two packets arrived', async () => {
    const { http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'));
    await client.count('subscribed', 1);
    await append(3);
    await client.count('event', 3);
    // The offset of a client whose connection broke between the two packets of the second event.
    const [, half] = client.of('WasNumbered')[1] ?? [];
    Reflect.set(client.socket, '_lastOffset', half);
    client.breakOff();
    await append(1);
    await client.count('event', 6);
    expect(client.numbers()).toEqual([1, 2, 3, 2, 3, 4]);
    expect(client.numbers('WasNumbered')).toEqual([1, 2, 3, 3, 4]);
    expect(client.recovered).toEqual([false, true]);
  });

  it('[I-4] begins anew with a reset, and with the requested snapshot, if the log no longer holds the offset', async () => {
    const rows = [{ id: 1 }];
    const routes = { items: { path: '/items', snapshot: () => ({ rows, sequence: 0 }) } };
    const { http } = await startGateway({ routes });
    const elsewhere = await startGateway({ routes });
    await elsewhere.append(3);
    const client = await SocketIoClient.open(elsewhere.http('/items'), { auth: { snapshot: true } });
    await client.count('subscribed', 1);
    Reflect.set(client.socket.io, 'uri', new URL(http('/items')).origin);
    client.breakOff();
    await client.count('subscribed', 2);
    expect(client.recovered).toEqual([false, false]);
    expect(client.of('reset')).toEqual([[{ id: 0, reason: 'replaced' }]]);
    expect(client.of('snapshot')).toHaveLength(2);
  });

  it('[I-9] gives no client the id of another: an unsigned private id begins anew, at the same offset', async () => {
    const { http, append } = await startGateway();
    const victim = await SocketIoClient.open(http('/events'), { auth: EVENTS_ONLY });
    const thief = await SocketIoClient.open(http('/events'), { auth: EVENTS_ONLY });
    for (const client of [victim, thief]) await client.count('subscribed', 1);
    await append(1);
    await thief.count('event', 1);
    const [, signature = ''] = String(pidOf(thief)).split('.');
    Reflect.set(thief.socket, '_pid', `${victim.socket.id}.${signature}`);
    thief.breakOff();
    await append(1);
    await thief.count('event', 2);
    expect(thief.recovered).toEqual([false, false]);
    expect(thief.socket.id).not.toBe(victim.socket.id);
    expect(thief.numbers()).toEqual([1, 2]);
    expect(victim.socket.connected).toBe(true);
  });

  it('replaces a connection that is broken without the gateway knowing it yet', async () => {
    const { http, gateway } = await startGateway();
    const client = await SocketIoClient.open(http('/events'));
    await client.count('subscribed', 1);
    const { id } = client.socket;
    for (const socket of gateway.io.of('/events').sockets.values()) {
      socket.join('room');
      socket.data = { name: 'Ana' };
    }
    const twin = new SocketIoClient(http('/events'));
    Reflect.set(twin.socket, '_pid', pidOf(client));
    Reflect.set(twin.socket, '_lastOffset', offsetOf(client));
    await twin.connected();
    expect(twin.socket.id).toBe(id);
    expect([...gateway.io.of('/events').sockets.keys()]).toEqual([id]);
    expect(gateway.connections('events').count).toBe(1);
    const [socket] = gateway.io.of('/events').sockets.values();
    expect(socket?.rooms.has('room')).toBe(true);
    expect(socket?.data).toEqual({ name: 'Ana' });
  });

  it('restores rooms and data on the gateway that the client has just left', async () => {
    const { http, gateway } = await startGateway();
    const client = await SocketIoClient.open(http('/events'));
    await client.count('subscribed', 1);
    const namespace = gateway.io.of('/events');
    for (const socket of namespace.sockets.values()) {
      socket.join('room');
      socket.data = { name: 'Ana' };
    }
    client.breakOff();
    await client.connected(2);
    const [socket] = namespace.sockets.values();
    expect(socket?.rooms.has('room')).toBe(true);
    expect(socket?.data).toEqual({ name: 'Ana' });
  });

  it('costs only the missed events: the log is read after the offset, not before it', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    const log = await openTestLog(logFile);
    const read: number[] = [];
    const { http } = await startGateway({ log: observed(log, read), historyBytes: 0 });
    await append(5_000);
    const client = await SocketIoClient.open(http('/events'), { auth: EVENTS_ONLY });
    await client.count('subscribed', 1);
    await append(20);
    await client.count('event', 20);
    client.breakOff();
    await append(20);
    read.length = 0;
    await client.count('event', 40);
    expect(client.numbers()).toEqual(numbers(5_001, 5_040));
    expect(read.every((offset) => offset > 5_020)).toBe(true);
  });
});

/** A log that records the offsets of the entries read from it. */
function observed(log: Log, offsets: number[]): Log {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'read') {
        return async (request: ReadRequest) => {
          const page = await target.read(request);
          offsets.push(...page.entries.map(({ offset }) => offset));
          return page;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
