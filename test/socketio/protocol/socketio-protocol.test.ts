import type { SocketIoOptions } from 'pregon';
import { describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { connectPacket, EngineSocket } from '../../support/socketio/engine-client.js';

/**
 * What https://socket.io/docs/v4/socket-io-protocol/ (revision 5) requires of a server, tested on the gateway's port:
 * `/` and `/custom` are namespaces of the application, `/events` is a route.
 */
async function start(socketIo: SocketIoOptions = {}): Promise<TestGateway & { origin: string }> {
  const started = await startGateway({ socketIo });
  for (const name of ['/', '/custom', '/events']) {
    const namespace = started.gateway.io.of(name);
    namespace.use((socket, next) => {
      if (socket.handshake.auth['secret'] !== 'wrong') return next();
      next(Object.assign(new Error('not you'), { data: { code: 42 } }));
    });
    namespace.on('connection', (socket) => {
      socket.emit('auth', socket.handshake.auth);
      socket.on('message', (...args) => socket.emit('message-back', ...args));
      socket.on('message-with-ack', (...args) => {
        const acknowledge = args.pop();
        if (typeof acknowledge === 'function') acknowledge(...args);
      });
    });
  }
  return { ...started, origin: started.http('') };
}

/** Opens a WebSocket and reads the open packet. */
async function open(origin: string): Promise<EngineSocket> {
  const socket = await EngineSocket.open(origin);
  expect(await socket.text()).toMatch(/^0/);
  return socket;
}

/** The prefix of a packet of this namespace. */
function prefixOf(namespace: string): string {
  return namespace === '/' ? '' : `${namespace},`;
}

/** Enters the namespace and reads its first packets. */
async function enter(origin: string, namespace: string): Promise<EngineSocket> {
  const socket = await open(origin);
  socket.send(connectPacket(namespace));
  // The connect packet, the message of the handler, and on a route the `subscribed` event.
  for (let come = namespace === '/events' ? 3 : 2; come > 0; come--) await socket.next();
  return socket;
}

describe.each(['/', '/custom', '/events'])('[001-08] The namespace %s', (namespace) => {
  const prefix = prefixOf(namespace);

  it('admits a client, and tells it its id', async () => {
    const { origin } = await start();
    const socket = await open(origin);
    socket.send(connectPacket(namespace));
    const answer = await socket.text();
    expect(answer.startsWith(`40${prefix}{`)).toBe(true);
    const { sid, pid } = JSON.parse(answer.slice(2 + prefix.length));
    expect(sid).toMatch(/^[\w-]{20}$/);
    // The protocol has no such member. It is for routes, whose clients can be recovered.
    expect(pid).toEqual(namespace === '/events' ? expect.any(String) : undefined);
  });

  it('gets the auth data of a client', async () => {
    const { origin } = await start();
    const socket = await open(origin);
    socket.send(connectPacket(namespace, { token: '123' }));
    await socket.next();
    const said = [await socket.text(), namespace === '/events' ? await socket.text() : ''];
    expect(said).toContain(`42${prefix}["auth",{"token":"123"}]`);
  });

  it('refuses a client that a middleware refuses, and gives the reason', async () => {
    const { origin } = await start();
    const socket = await open(origin);
    socket.send(connectPacket(namespace, { secret: 'wrong' }));
    expect(await socket.next()).toBe(`44${prefix}{"message":"not you","data":{"code":42}}`);
    socket.send(connectPacket(namespace));
    expect(await socket.text()).toContain(`40${prefix}{"sid":`);
  });

  it('echoes JSON, and acknowledges', async () => {
    const { origin } = await start();
    const socket = await enter(origin, namespace);
    socket.send(`42${prefix}["message",1,"2",{"3":[true]}]`);
    expect(await socket.next()).toBe(`42${prefix}["message-back",1,"2",{"3":[true]}]`);
    socket.send(`42${prefix}456["message-with-ack",1,"2",{"3":[false]}]`);
    expect(await socket.next()).toBe(`43${prefix}456[1,"2",{"3":[false]}]`);
  });

  it('[001-13] echoes bytes, and acknowledges with bytes', async () => {
    const { origin } = await start();
    const socket = await enter(origin, namespace);
    const placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
    const bytes = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
    socket.send(`452-${prefix}["message",${placeholders}]`, ...bytes);
    expect(await socket.next()).toBe(`452-${prefix}["message-back",${placeholders}]`);
    expect([await socket.next(), await socket.next()]).toEqual(bytes);
    socket.send(`452-${prefix}789["message-with-ack",${placeholders}]`, ...bytes);
    expect(await socket.next()).toBe(`462-${prefix}789[${placeholders}]`);
    expect([await socket.next(), await socket.next()]).toEqual(bytes);
  });

  it('lets a client leave, which stays in its other namespaces', async () => {
    const { origin, gateway } = await start();
    const other = namespace === '/' ? '/custom' : '/';
    const socket = await enter(origin, namespace);
    socket.send(connectPacket(other));
    await socket.next();
    expect(await socket.next()).toBe(`42${prefixOf(other)}["auth",{}]`);
    // A later packet for the namespace that was left would end the connection, unless it came in the same turn.
    socket.send(`41${prefix}`, `42${prefixOf(other)}["message",1]`);
    expect(await socket.next()).toBe(`42${prefixOf(other)}["message-back",1]`);
    expect(gateway.io.of(namespace).sockets.size).toBe(0);
    expect(gateway.connections('events').count).toBe(0);
    expect(gateway.io.of(other).sockets.size).toBe(1);
  });

  it('[I-8] ends only the connection that sends an invalid packet', async () => {
    const { origin } = await start();
    const other = await enter(origin, namespace);
    const wrong = [
      '4abc',
      `42${prefix}{}`,
      `42${prefix}abc["message-with-ack",1]`,
      `42${prefix}[]`,
      `42${prefix}["disconnect"]`,
      `42${prefix}[`,
      `40${prefix}["not an object"`,
      '451-["message",{"_placeholder":true,"num":1}]',
    ];
    for (const packet of wrong) {
      const socket = await enter(origin, namespace);
      socket.send(packet);
      if (packet.startsWith('451')) socket.send(Buffer.from([1]));
      await socket.whenClosed();
    }
    other.send(`42${prefix}["message",1]`);
    expect(await other.next()).toBe(`42${prefix}["message-back",1]`);
  });
});

describe('[001-08] A namespace that does not exist', () => {
  it('is refused', async () => {
    const { origin } = await start();
    const socket = await open(origin);
    socket.send(connectPacket('/random'));
    expect(await socket.next()).toBe('44/random,{"message":"Invalid namespace"}');
  });

  it('is not entered by any other packet, which ends the connection', async () => {
    const { origin } = await start();
    const socket = await open(origin);
    socket.send('42["message",1]');
    await socket.whenClosed();
  });

  it('cannot be waited for: a connection that enters no namespace in time is closed', async () => {
    const { origin } = await start({ connectTimeout: 500 });
    const socket = await open(origin);
    await socket.whenClosed(2_000);
  });
});

describe('[G-3][001-08] Events of the log on a route', () => {
  it('come as Socket.IO packets under two names, with the position as the last argument', async () => {
    const { origin, append } = await start();
    const socket = await open(origin);
    socket.send(connectPacket('/events'));
    await socket.next();
    const first = [await socket.text(), await socket.text()];
    expect(first).toContainEqual(expect.stringMatching(/^42\/events,\["subscribed",\{.*\},"[\w.-]+"\]$/));
    await append(1);
    const [typed, named] = [await socket.text(), await socket.text()];
    const [type, event, half] = JSON.parse(typed.slice('42/events,'.length));
    expect([type, event.data]).toEqual(['WasNumbered', { n: 1 }]);
    expect(JSON.parse(named.slice('42/events,'.length))).toEqual(['event', event, event.position]);
    expect(half).toBe(`${event.position}~`);
  });

  it('can be narrowed in the payload of CONNECT', async () => {
    const { origin, append } = await start();
    const socket = await open(origin);
    socket.send('40/events,{"topics":["n.2"],"names":"event"}');
    await socket.next();
    await socket.next();
    await socket.next();
    await append(3);
    const packet = await socket.text();
    expect(packet.startsWith('42/events,["event",{')).toBe(true);
    expect(packet).toContain('"n":2}');
  });

  it('are refused if the subscription is invalid', async () => {
    const { origin } = await start();
    const socket = await open(origin);
    socket.send('40/events,{"topics":[1]}');
    expect(await socket.text()).toMatch(/^44\/events,\{.*"code":"FRAME_INVALID"/);
  });
});
