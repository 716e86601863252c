import type { Gateway } from 'pregon';
import { describe, expect, it } from 'vitest';
import { numbers, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { SocketIoClient, type SocketIoClientOptions } from '../../support/gateway/socketio-client.js';
import { eventually } from '../../support/waiting.js';

type Namespace = ReturnType<Gateway['io']['of']>;
type ServerSocket = Parameters<Parameters<Namespace['use']>[0]>[0];

interface Started extends TestGateway {
  readonly namespace: Namespace;
  connect(options?: SocketIoClientOptions): Promise<SocketIoClient>;
  /** Connects this many clients, one after the other. */
  connectAll(count: number): Promise<SocketIoClient[]>;
  /** The server's socket of a client. */
  serverSide(client: SocketIoClient): ServerSocket;
}

async function start(name: string): Promise<Started> {
  const started = await startGateway();
  const namespace = started.gateway.io.of(name);
  const connect = (options?: SocketIoClientOptions) => SocketIoClient.open(started.http(name), options);
  return {
    ...started,
    namespace,
    connect,
    async connectAll(count) {
      const clients: SocketIoClient[] = [];
      while (clients.length < count) clients.push(await connect());
      return clients;
    },
    serverSide: (client) => socketOf(namespace, client),
  };
}

function socketOf(namespace: Namespace, { socket }: SocketIoClient): ServerSocket {
  const found = namespace.sockets.get(socket.id ?? '');
  if (!found) throw new Error('the server does not know this client');
  return found;
}

/** The messages that clients are asked to answer. */
interface Asked {
  ask(text: string, answer: (value: unknown) => void): void;
  unheard(answer: (value: unknown) => void): void;
}

/**
 * The clients that heard this name. A last word reaches all of them first, so any wrong delivery would have arrived by
 * then.
 */
async function hearers(namespace: Namespace, clients: readonly SocketIoClient[], name: string): Promise<number[]> {
  namespace.local.emit('last word');
  for (const client of clients) await client.count('last word', 1);
  return clients.flatMap((client, at) => (client.of(name).length > 0 ? [at] : []));
}

// A namespace that Socket.IO serves alone, and a route, where events of the log come in between.
describe.each(['/', '/events'])('Socket.IO’s server API in the namespace %s', (name) => {
  it('[001-17][001-20] emits to all, to all but the sender, and to one', async () => {
    const { namespace, connectAll, serverSide } = await start(name);
    const clients = await connectAll(3);
    const [first] = clients;
    if (!first) throw new Error('unreachable');
    namespace.emit('to all', 1, { two: [3] });
    serverSide(first).broadcast.emit('to others');
    serverSide(first).emit('to one');
    namespace.to(serverSide(first).id).emit('by id');
    expect(await hearers(namespace, clients, 'to all')).toEqual([0, 1, 2]);
    expect(await hearers(namespace, clients, 'to others')).toEqual([1, 2]);
    expect(await hearers(namespace, clients, 'to one')).toEqual([0]);
    expect(await hearers(namespace, clients, 'by id')).toEqual([0]);
    expect(first.of('to all')).toEqual([[1, { two: [3] }]]);
  });

  it('[003-23] has rooms: join, leave, several at once, and exceptions', async () => {
    const { namespace, connectAll, serverSide } = await start(name);
    const clients = await connectAll(4);
    const [a, b, c] = clients.map(serverSide);
    await a?.join('red');
    await b?.join(['red', 'blue']);
    await c?.join('blue');
    expect([...(b?.rooms ?? [])].sort()).toEqual([b?.id, 'blue', 'red'].sort());
    namespace.to('red').emit('red');
    namespace.to('red').to('blue').emit('either');
    namespace.in('red').except('blue').emit('red alone');
    namespace.except('red').emit('not red');
    b?.to('red').emit('to the others in red');
    b?.to('red').except('red').emit('to nobody');
    await b?.leave('red');
    namespace.to('red').emit('red later');
    expect(await hearers(namespace, clients, 'red')).toEqual([0, 1]);
    expect(await hearers(namespace, clients, 'either')).toEqual([0, 1, 2]);
    expect(clients[1]?.of('either').length).toBe(1);
    expect(await hearers(namespace, clients, 'red alone')).toEqual([0]);
    expect(await hearers(namespace, clients, 'not red')).toEqual([2, 3]);
    expect(await hearers(namespace, clients, 'to the others in red')).toEqual([0]);
    expect(await hearers(namespace, clients, 'to nobody')).toEqual([]);
    expect(await hearers(namespace, clients, 'red later')).toEqual([0]);
  });

  it('[003-20] asks clients and waits for their answers, up to the given timeout', async () => {
    const { gateway, http } = await startGateway<{ serverEvents: Asked }>();
    const namespace = gateway.io.of(name);
    const clients = [await SocketIoClient.open(http(name)), await SocketIoClient.open(http(name))];
    for (const [at, { socket }] of clients.entries()) {
      socket.on('ask', (text: string, answer: (value: unknown) => void) => answer({ text, at }));
    }
    const first = namespace.sockets.get(clients[0]?.socket.id ?? '');
    expect(await first?.emitWithAck('ask', 'one')).toEqual({ text: 'one', at: 0 });
    const answers: unknown = await namespace.timeout(2_000).emitWithAck('ask', 'all');
    expect(answers).toHaveLength(2);
    expect(answers).toContainEqual({ text: 'all', at: 1 });
    await expect(first?.timeout(100).emitWithAck('unheard')).rejects.toThrow('timed out');
    clients[1]?.socket.off('ask');
    const failed = namespace.timeout(200).emitWithAck('ask', 'all');
    await expect(failed).rejects.toMatchObject({ responses: [{ text: 'all', at: 0 }] });
  });

  it('[003-20][003-21] answers clients that ask, and tolerates clients that expect no answer', async () => {
    const { namespace, connect } = await start(name);
    namespace.on('connection', (socket) => {
      socket.on('add', (a, b, answer) => typeof answer === 'function' && answer(Number(a) + Number(b)));
    });
    const client = await connect();
    client.socket.emit('add', 1, 2);
    expect(await client.ask('add', 1, 2)).toBe(3);
  });

  it('[003-02] has middlewares for the namespace and for each connection', async () => {
    const { namespace, connect, http } = await start(name);
    const passed: string[] = [];
    namespace.use((socket, next) => {
      passed.push('first');
      next(socket.handshake.auth['token'] === 'good' ? undefined : new Error('who are you'));
    });
    namespace.use((socket, next) => {
      passed.push('second');
      Object.assign(socket, { data: { user: 'ada' } });
      setImmediate(next);
    });
    namespace.on('connection', (socket) => {
      socket.use(([event, argument], next) => next(event === 'shout' && !argument ? new Error('what?') : undefined));
      socket.on('error', (error: Error) => socket.emit('wrong', error.message));
      socket.on('shout', (text) => socket.emit('shouted', text));
      socket.on('who', (answer) => typeof answer === 'function' && answer(socket.data));
    });
    const refused = new SocketIoClient(http(name), { auth: { token: 'bad' } });
    const error = await within(new Promise((resolve) => refused.socket.once('connect_error', resolve)), 'an error');
    expect(error).toMatchObject({ message: 'who are you' });
    expect(passed).toEqual(['first']);
    const client = await connect({ auth: { token: 'good' } });
    expect(passed).toEqual(['first', 'first', 'second']);
    expect(await client.ask('who')).toEqual({ user: 'ada' });
    client.socket.emit('shout');
    client.socket.emit('shout', 1);
    expect((await client.count('shouted', 1))[0]).toEqual([1]);
    expect(client.of('wrong')[0]?.[0]).toBe('what?');
  });

  it('[003-02] has catch-all listeners for incoming and outgoing messages', async () => {
    const { namespace, connect, serverSide, append } = await start(name);
    const seen: unknown[] = [];
    namespace.on('connection', (socket) => {
      socket.onAny((event, ...args) => seen.push(['in', event, ...args]));
      socket.onAnyOutgoing((event, ...args) => seen.push(['out', event, args[0]]));
      socket.on('ping', (n) => socket.emit('pong', n));
    });
    const client = await connect();
    client.socket.emit('ping', 1);
    await client.count('pong', 1);
    namespace.emit('to all', 2);
    serverSide(client).offAny();
    client.socket.emit('ping', 3);
    await client.count('pong', 2);
    await append(1);
    expect(seen).toEqual([
      ['in', 'ping', 1],
      ['out', 'pong', 1],
      ['out', 'to all', 2],
      ['out', 'pong', 3],
    ]);
  });

  it('drops a volatile message if a client cannot take it at once, and delivers it otherwise', async () => {
    const { namespace, connect, serverSide } = await start(name);
    const client = await connect({ transports: ['websocket'] });
    await eventually(
      () => serverSide(client).conn.transport.writable,
      (writable) => writable,
    );
    serverSide(client).volatile.emit('now', 1);
    await client.count('now', 1);
    const poller = await connect({ transports: ['polling'] });
    const socket = serverSide(poller);
    await eventually(
      () => socket.conn.transport.writable,
      (writable) => writable,
    );
    // The answer to the poll takes the first message; until the next poll nothing can be sent.
    socket.emit('kept', 1);
    for (let n = 1; n <= 100; n++) namespace.to(socket.id).volatile.emit('now', n);
    socket.emit('kept', 2);
    await poller.count('kept', 2);
    expect(poller.of('now').length).toBe(0);
  });

  it('finds connections, and makes them join, leave and disconnect', async () => {
    const { namespace, connectAll, serverSide } = await start(name);
    const clients = await connectAll(3);
    const ids = clients.map(({ socket }) => socket.id);
    expect((await namespace.fetchSockets()).map(({ id }) => id)).toEqual(ids);
    namespace.in(ids.slice(0, 2).map(String)).socketsJoin('room');
    const found = await namespace.in('room').fetchSockets();
    expect(found.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(found[0]?.handshake.query).toMatchObject({ EIO: '4' });
    namespace.in(String(ids[0])).socketsLeave('room');
    expect((await namespace.in('room').fetchSockets()).map(({ id }) => id)).toEqual([ids[1]]);
    const gone = clients.map(({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)));
    namespace.in('room').disconnectSockets();
    expect(await within(gone[1] ?? Promise.reject(), 'the end of the connection')).toBe('io server disconnect');
    const [first] = clients;
    if (first) serverSide(first).disconnect(true);
    expect(await within(gone[0] ?? Promise.reject(), 'the end of the connection')).toMatch(
      /io server disconnect|transport close/,
    );
    expect((await namespace.fetchSockets()).map(({ id }) => id)).toEqual([ids[2]]);
  });

  it('[003-14][003-02] reports connections that end: disconnecting with the rooms, then disconnect with the reason', async () => {
    const { connect, serverSide } = await start(name);
    const client = await connect();
    const socket = serverSide(client);
    await socket.join('room');
    const told: unknown[] = [];
    socket.on('disconnecting', (reason) => told.push([reason, socket.rooms.has('room')]));
    const gone = new Promise((resolve) => socket.once('disconnect', resolve));
    client.socket.disconnect();
    expect(await within(gone, 'disconnect')).toBe('client namespace disconnect');
    expect(told).toEqual([['client namespace disconnect', true]]);
    expect(socket.rooms.size).toBe(0);
  });

  it('[001-13] carries bytes anywhere in a message, in both directions and in broadcasts', async () => {
    const { namespace, connect, connectAll, append } = await start(name);
    namespace.on('connection', (socket) => {
      socket.on('echo', (value, answer) => typeof answer === 'function' && answer(value));
    });
    const clients = [...(await connectAll(1)), await connect({ transports: ['polling'] })];
    const value = { bytes: Buffer.from([0, 1, 255]), list: [Buffer.alloc(70_000, 7), 'text'] };
    for (const client of clients) expect(await client.ask('echo', value)).toEqual(value);
    await append(1);
    namespace.emit('bytes', value, Buffer.from('last'));
    for (const client of clients) {
      expect((await client.count('bytes', 1))[0]?.slice(0, 2)).toEqual([value, Buffer.from('last')]);
    }
  });

  it('[I-8] refuses to emit values that cannot be encoded, and goes on', async () => {
    const { namespace, connect, serverSide } = await start(name);
    const client = await connect();
    const itself: { self?: unknown } = {};
    itself.self = itself;
    expect(() => namespace.emit('itself', itself)).toThrow(RangeError);
    expect(() => serverSide(client).emit('itself', itself)).toThrow(RangeError);
    namespace.emit('next', 1);
    expect(await client.count('next', 1)).toEqual([[1]]);
  });

  it('reaches only other gateways by serverSideEmit', async () => {
    const { namespace } = await start(name);
    namespace.on('told', () => expect.unreachable());
    namespace.serverSideEmit('told', 1);
    const answered = new Promise((resolve) => {
      namespace.serverSideEmit('told', (error: unknown, answers: unknown) => resolve([error, answers]));
    });
    expect(await within(answered, 'answers')).toEqual([null, []]);
  });
});

describe('Socket.IO’s server API beside routes', () => {
  it('has dynamic namespaces, by pattern and by function', async () => {
    const { gateway, http } = await startGateway();
    gateway.io.of(/^\/room-\d+$/).on('connection', (socket) => socket.emit('welcome', { to: socket.nsp.name }));
    gateway.io.of((name, auth, next) => next(null, name === '/vip' && auth['token'] === 'good'));
    for (const name of ['/room-1', '/room-22']) {
      const client = await SocketIoClient.open(http(name));
      expect(await client.count('welcome', 1)).toEqual([[{ to: name }]]);
    }
    await SocketIoClient.open(http('/vip'), { auth: { token: 'good' } });
    const refused = new SocketIoClient(http('/room-x'));
    const error = await within(new Promise((resolve) => refused.socket.once('connect_error', resolve)), 'an error');
    expect(error).toMatchObject({ message: 'Invalid namespace' });
  });

  it('serves a route and other namespaces to one client over one WebSocket', async () => {
    const { gateway, http, append } = await startGateway();
    const io = gateway.io;
    const events = await SocketIoClient.open(http('/events'), { forceNew: false, multiplex: true });
    const chat = new SocketIoClient(http('/'), { forceNew: false, multiplex: true });
    await chat.connected();
    expect(chat.socket.io).toBe(events.socket.io);
    io.emit('chat', 1);
    await append(3);
    await chat.count('chat', 1);
    await events.count('event', 3);
    expect(events.numbers()).toEqual(numbers(1, 3));
    expect(gateway.connections('events').count).toBe(1);
    expect(io.engine.clientsCount).toBe(1);
    chat.socket.disconnect();
    await append(1);
    await events.count('event', 4);
  });

  it('[000-07][I-1] serves several routes to one client over one connection, each with its own events', async () => {
    const { gateway, http, append } = await startGateway({
      routes: { even: { path: '/even', topics: ['even.*'] }, odd: { path: '/odd', topics: ['odd.*'] } },
    });
    const clients = ['/even', '/odd'].map((name) => {
      return new SocketIoClient(http(name), { forceNew: false, multiplex: true, auth: { names: 'event' } });
    });
    for (const client of clients) await client.count('subscribed', 1);
    await append(2_000, { topic: (n) => (n % 2 === 0 ? `even.${n}` : `odd.${n}`), padding: 500 });
    for (const [at, client] of clients.entries()) {
      await client.count('event', 1_000);
      expect(client.numbers()).toEqual(numbers(1, 2_000).filter((n) => n % 2 === at));
    }
    expect(gateway.io.engine.clientsCount).toBe(1);
    expect([gateway.connections('even').count, gateway.connections('odd').count]).toEqual([1, 1]);
  });

  it('[001-08] exposes the engine: its connections, headers, and request errors', async () => {
    const { gateway, http } = await startGateway();
    const { engine } = gateway.io;
    const told: unknown[] = [];
    engine.on('connection', (socket: { id: string }) => told.push(typeof socket.id));
    engine.on('initial_headers', (headers: Record<string, string>) => Object.assign(headers, { 'x-first': 'yes' }));
    engine.on('headers', (headers: Record<string, string>) => Object.assign(headers, { 'x-each': 'yes' }));
    engine.on('connection_error', ({ code, message }: { code: number; message: string }) => told.push([code, message]));
    engine.use(
      (request: { headers: object }, response: { setHeader(n: string, v: string): void }, next: () => void) => {
        response.setHeader('x-used', typeof request.headers);
        next();
      },
    );
    const answer = await fetch(`${http('')}/socket.io/?EIO=4&transport=polling`);
    expect(['x-first', 'x-each', 'x-used'].map((name) => answer.headers.get(name))).toEqual(['yes', 'yes', 'object']);
    await fetch(`${http('')}/socket.io/?EIO=4&transport=none`);
    expect(told).toEqual(['string', [0, 'Transport unknown']]);
    await SocketIoClient.open(http('/'), { transports: ['websocket'] });
    expect(engine.clientsCount).toBe(2);
  });
});
