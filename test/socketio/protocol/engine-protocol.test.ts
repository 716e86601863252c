import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest } from '../../support/cleanup.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { connectPacket, EngineSocket, PollingClient, parseOpen } from '../../support/socketio/engine-client.js';

interface Heartbeat {
  readonly pingInterval: number;
  readonly pingTimeout: number;
}

/** No ping falls within a test, however busy the machine is. */
const CALM: Heartbeat = { pingInterval: 60_000, pingTimeout: 60_000 };

/** For clients that answer: a generous timeout keeps a busy machine from ending the connection. */
const ANSWERED: Heartbeat = { pingInterval: 300, pingTimeout: 30_000 };

const UNANSWERED: Heartbeat = { pingInterval: 300, pingTimeout: 200 };

/**
 * What https://socket.io/docs/v4/engine-io-protocol/ (revision 4) requires of a server, tested on the gateway's port.
 * Here the messages of Engine.IO are Socket.IO packets, so the answers come from an echo in a namespace.
 */
async function startEcho(namespace = '/', heartbeat: Heartbeat = CALM): Promise<string> {
  const { gateway, http } = await startGateway({ socketIo: { ...heartbeat, connectTimeout: 10_000 } });
  gateway.io.of(namespace).on('connection', (socket) => {
    socket.on('echo', (...args) => socket.emit('echoed', ...args));
  });
  return http('');
}

/** The status that answers a raw upgrade request. */
async function upgradeStatus(origin: string, query: string): Promise<number> {
  const raw = await RawSocket.open(Number(new URL(origin).port));
  const head = await raw.upgrade(`/socket.io/${query}`);
  return Number(head.split(' ')[1]);
}

describe('The handshake of Engine.IO', () => {
  it('[001-08][001-10] opens a connection by long polling', async () => {
    const origin = await startEcho();
    const answer = await fetch(`${origin}/socket.io/?EIO=4&transport=polling`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=UTF-8');
    const opened = parseOpen(await answer.text());
    expect(opened).toEqual({
      sid: expect.stringMatching(/^[\w-]{20}$/),
      upgrades: ['websocket'],
      ...CALM,
      maxPayload: 1_048_576,
    });
  });

  it('[001-08] opens a connection by WebSocket, which offers no upgrade', async () => {
    const socket = await EngineSocket.open(await startEcho());
    const opened = parseOpen(await socket.text());
    expect(opened).toMatchObject({ upgrades: [], ...CALM });
    expect(Object.keys(opened).sort()).toEqual(['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades']);
  });

  it('[001-08] answers invalid requests with 400', async () => {
    const origin = await startEcho();
    const statusOf = async (query: string, method = 'GET') =>
      (await fetch(`${origin}/socket.io/${query}`, { method })).status;
    expect(await statusOf('')).toBe(400);
    expect(await statusOf('?transport=polling')).toBe(400);
    expect(await statusOf('?EIO=abc&transport=polling')).toBe(400);
    expect(await statusOf('?EIO=3&transport=polling')).toBe(400);
    expect(await statusOf('?EIO=4')).toBe(400);
    expect(await statusOf('?EIO=4&transport=abc')).toBe(400);
    expect(await statusOf('?EIO=4&transport=websocket')).toBe(400);
    expect(await statusOf('?EIO=4&transport=polling', 'POST')).toBe(400);
    expect(await statusOf('?EIO=4&transport=polling', 'PUT')).toBe(400);
    expect(await statusOf('?EIO=4&transport=polling&sid=nobodys')).toBe(400);
  });

  it('[001-08] answers invalid upgrades with 400', async () => {
    const origin = await startEcho();
    expect(await upgradeStatus(origin, '?EIO=4')).toBe(400);
    expect(await upgradeStatus(origin, '?EIO=4&transport=abc')).toBe(400);
    expect(await upgradeStatus(origin, '?EIO=4&transport=websocket&sid=nobodys')).toBe(400);
  });

  it('[001-08] closes a WebSocket that asks for another revision', async () => {
    const origin = await startEcho();
    for (const query of ['?transport=websocket', '?EIO=abc&transport=websocket']) {
      const socket = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/${query}`);
      afterTest(() => socket.terminate());
      // Like Socket.IO itself, the gateway writes an HTTP answer between the WebSocket frames, so the client reports an
      // error.
      socket.on('error', () => {});
      await within(new Promise((resolve) => socket.once('close', resolve)), 'the end of the connection');
    }
  });

  it('answers with 404 if the path has no slash at its end', async () => {
    const origin = await startEcho();
    const answer = await within(fetch(`${origin}/socket.io?EIO=4&transport=polling`), 'an answer');
    expect(answer.status).toBe(404);
    const raw = await RawSocket.open(Number(new URL(origin).port));
    expect(await raw.upgrade('/socket.io?EIO=4&transport=websocket')).toContain('404');
  });
});

describe('The heartbeat of Engine.IO', () => {
  it('[001-12] pings by long polling, and takes the answer', async () => {
    const client = await PollingClient.open(await startEcho('/', ANSWERED));
    for (let beat = 0; beat < 3; beat++) {
      expect(await client.packets()).toEqual(['2']);
      await client.say('3');
    }
  });

  it('[001-12] ends a connection by long polling that does not answer', async () => {
    const silent = await PollingClient.open(await startEcho('/', UNANSWERED));
    const began = performance.now();
    await silent.packets();
    await silent.poll();
    expect(performance.now() - began).toBeGreaterThan(400);
    expect((await silent.poll()).status).toBe(400);
  });

  it('[001-12] pings by WebSocket, and takes the answer', async () => {
    const socket = await EngineSocket.open(await startEcho('/', ANSWERED));
    await socket.next();
    for (let beat = 0; beat < 3; beat++) {
      expect(await socket.next()).toBe('2');
      socket.send('3');
    }
  });

  it('[001-12] ends a connection by WebSocket that does not answer', async () => {
    const socket = await EngineSocket.open(await startEcho('/', UNANSWERED));
    await socket.next();
    expect(await socket.next()).toBe('2');
    const began = performance.now();
    await socket.whenClosed();
    expect(performance.now() - began).toBeGreaterThan(150);
  });
});

// A namespace of the application, and a route, whose events bypass Socket.IO's encoder.
describe.each(['/', '/events'])('Messages of Engine.IO in the namespace %s', (namespace) => {
  const prefix = namespace === '/' ? '' : `${namespace},`;
  const subscribed = namespace === '/' ? 0 : 1;

  async function enterByPolling(origin: string): Promise<PollingClient> {
    const client = await PollingClient.open(origin);
    await client.say(connectPacket(namespace));
    await client.untilPackets(1 + subscribed);
    return client;
  }

  async function enterByWebSocket(origin: string): Promise<EngineSocket> {
    const socket = await EngineSocket.enter(origin, namespace);
    for (let n = 0; n < subscribed; n++) await socket.next();
    return socket;
  }

  it('[001-08] pass in both directions by long polling, several in a payload', async () => {
    const client = await enterByPolling(await startEcho(namespace));
    await client.say(`42${prefix}["echo",{"a":"ñ\\u001e"}]`);
    expect(await client.untilPackets(1)).toEqual([`42${prefix}["echoed",{"a":"ñ\\u001e"}]`]);
    await client.say(`42${prefix}["echo",1]`, `42${prefix}["echo",2]`, `42${prefix}["echo",3]`);
    expect(await client.untilPackets(3)).toEqual([1, 2, 3].map((n) => `42${prefix}["echoed",${n}]`));
  });

  it('[001-13] carry bytes by long polling, as base64 after a "b"', async () => {
    const client = await enterByPolling(await startEcho(namespace));
    await client.say(`451-${prefix}["echo",{"_placeholder":true,"num":0}]`, 'bAQIDBA==');
    expect(await client.untilPackets(2)).toEqual([
      `451-${prefix}["echoed",{"_placeholder":true,"num":0}]`,
      'bAQIDBA==',
    ]);
  });

  it('[001-08] pass in both directions by WebSocket', async () => {
    const socket = await enterByWebSocket(await startEcho(namespace));
    socket.send(`42${prefix}["echo",1]`, `42${prefix}["echo",2]`);
    expect(await socket.next()).toBe(`42${prefix}["echoed",1]`);
    expect(await socket.next()).toBe(`42${prefix}["echoed",2]`);
  });

  it('[001-13] carry bytes by WebSocket, as binary frames', async () => {
    const socket = await enterByWebSocket(await startEcho(namespace));
    socket.send(`451-${prefix}["echo",{"_placeholder":true,"num":0}]`, Buffer.from([1, 2, 3, 4]));
    expect(await socket.next()).toBe(`451-${prefix}["echoed",{"_placeholder":true,"num":0}]`);
    expect(await socket.next()).toEqual(Buffer.from([1, 2, 3, 4]));
  });

  it('[001-11] continue by WebSocket after a probe, and only there', async () => {
    const origin = await startEcho(namespace);
    const client = await enterByPolling(origin);
    const socket = await EngineSocket.open(origin, client.opened.sid);
    socket.send('2probe');
    expect(await socket.next()).toBe('3probe');
    // Ends the pending poll.
    expect(await client.packets()).toEqual(['6']);
    socket.send('5');
    socket.send(`42${prefix}["echo",1]`);
    expect(await socket.next()).toBe(`42${prefix}["echoed",1]`);
    expect((await client.poll()).status).toBe(400);
    const second = await EngineSocket.open(origin, client.opened.sid);
    await second.whenClosed();
    socket.send(`42${prefix}["echo",2]`);
    expect(await socket.next()).toBe(`42${prefix}["echoed",2]`);
  });

  it('[I-8] that are invalid end a connection by long polling', async () => {
    const client = await enterByPolling(await startEcho(namespace));
    await client.push('abc');
    expect((await client.poll()).status).toBe(400);
  });

  it('[I-8] that are invalid end a connection by WebSocket', async () => {
    const socket = await enterByWebSocket(await startEcho(namespace));
    socket.send('abc');
    await socket.whenClosed();
  });

  it('[I-8] cannot be polled twice at a time: the second poll ends the connection', async () => {
    const client = await enterByPolling(await startEcho(namespace));
    const answers = await Promise.all([client.poll(), client.poll()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect((await client.poll()).status).toBe(400);
  });

  it('[I-8] that are too large end the connection, by long polling with 413', async () => {
    const origin = await startEcho(namespace);
    const client = await enterByPolling(origin);
    const large = `42${prefix}["echo","${'x'.repeat(1_100_000)}"]`;
    expect((await client.push(large)).status).toBe(413);
    const socket = await enterByWebSocket(origin);
    socket.send(large);
    expect(await socket.whenClosed()).toBe(1009);
  });

  it('[001-09] end when the client closes the connection by long polling', async () => {
    const client = await enterByPolling(await startEcho(namespace));
    const [poll] = await Promise.all([client.packets(), client.say('1')]);
    expect(poll).toEqual(['6']);
    expect((await client.poll()).status).toBe(400);
  });

  it('[001-09] end when the client closes the connection by WebSocket', async () => {
    // Engine.IO expects the client to close the WebSocket; if it does not, the heartbeat ends the connection.
    const socket = await enterByWebSocket(await startEcho(namespace, UNANSWERED));
    socket.send('1');
    await socket.whenClosed();
  });
});
