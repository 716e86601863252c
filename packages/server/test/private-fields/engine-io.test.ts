import { once } from 'node:events';
import { Socket as NetSocket } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest } from '../../../../test/support/cleanup.js';
import { listening } from '../../../../test/support/private-fields/listening.js';
import { PollingClient } from '../../../../test/support/socketio/engine-client.js';
import { eventually } from '../../../../test/support/waiting.js';
import {
  answerHeaders,
  carrierOf,
  dropUpgradeListener,
  failTransport,
  fitClient,
  knowsClient,
  limitClosing,
  postedRequest,
  receivePacket,
  replaceOnDataRequest,
  setPostedRequest,
} from '../../src/private-fields/engine-io.js';

type Conn = Socket['conn'];

async function start() {
  const { server, port } = await listening();
  const io = new Server(server);
  afterTest(() => io.close());
  const origin = `http://127.0.0.1:${port}`;
  const opened = new Promise<Conn>((resolve) => io.engine.once('connection', resolve));
  return { io, origin, opened };
}

/** A client by long polling, and its objects in Engine.IO. */
async function polling() {
  const { io, origin, opened } = await start();
  const client = await PollingClient.open(origin);
  return { io, client, conn: await opened };
}

async function webSocket() {
  const { io, origin, opened } = await start();
  const client = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  afterTest(() => client.terminate());
  await once(client, 'open');
  return { io, client, conn: await opened };
}

describe('the private fields of Engine.IO exist:', () => {
  it('the socket of a transport by WebSocket', async () => {
    const { conn } = await webSocket();
    expect(carrierOf(conn.transport)).toBeInstanceOf(NetSocket);
  });

  it('the listener for errors before there is a transport, which exists once', async () => {
    const { conn } = await webSocket();
    expect(dropUpgradeListener(conn.transport)).toBe(true);
    expect(dropUpgradeListener(conn.transport)).toBe(false);
  });

  it('the table of clients', async () => {
    const { io, client } = await polling();
    expect(knowsClient(io.engine, client.opened.sid)).toBe(true);
    expect(knowsClient(io.engine, 'another')).toBe(false);
  });

  it('the time that it takes to end a client that does not poll', async () => {
    const { conn } = await polling();
    const begun = performance.now();
    const closed = once(conn, 'close');
    expect(limitClosing(conn.transport, 10)).toBe(true);
    conn.close();
    await closed;
    // Without the change it takes 30 s.
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  it('the cleanup functions at the end of a client', async () => {
    const { conn } = await polling();
    expect(fitClient(conn)).toBe(true);
    failTransport(conn.transport, 'done');
    await eventually(
      () => conn.readyState,
      (state) => state === 'closed',
    );
  });

  it('the method that handles a posted payload, and the methods that a replacement needs', async () => {
    const { conn, client } = await polling();
    const received: unknown[] = [];
    conn.on('data', (data: unknown) => received.push(data));
    conn.transport.on('headers', (headers: Record<string, string>) => {
      headers['X-Added'] = 'by an application';
    });
    const isReplaced = replaceOnDataRequest(conn.transport, function (request, response) {
      received.push(postedRequest(this));
      setPostedRequest(this, request);
      received.push(postedRequest(this) === request);
      request.resume();
      receivePacket(this, '40');
      setPostedRequest(this, null);
      response.writeHead(200, { ...answerHeaders(this, request, { 'X-Own': 'ours' }) }).end('ok');
    });
    expect(isReplaced).toBe(true);
    const answer = await client.push('40');
    expect(await answer.text()).toBe('ok');
    expect([answer.headers.get('X-Own'), answer.headers.get('X-Added')]).toEqual(['ours', 'by an application']);
    expect(received).toEqual([undefined, true, '0']);
  });

  it('the posted request, which ends with its transport', async () => {
    const { conn, client } = await polling();
    const ended = new Promise<boolean>((resolve) => {
      replaceOnDataRequest(conn.transport, function (request) {
        setPostedRequest(this, request);
        request.once('close', () => resolve(true));
        limitClosing(this, 10);
        this.close();
      });
    });
    client.push('40').catch(() => {});
    expect(await ended).toBe(true);
  });

  it('a packet that closes, and an error', async () => {
    const { conn } = await polling();
    const closed = once(conn, 'close');
    receivePacket(conn.transport, '1');
    expect((await closed)[0]).toBe('transport close');
    const failing = await polling();
    const failed = once(failing.conn, 'close');
    failTransport(failing.conn.transport, 'a protocol error');
    expect((await failed)[0]).toBe('transport error');
  });
});

describe('without the private fields of Engine.IO, its own code runs:', () => {
  it.each([
    ['no field', {}],
    ['fields of another type', { socket: {}, cleanupFn: 'none', parser: {}, onDataRequest: 1, clients: null }],
  ])('%s', (_, object) => {
    const before = JSON.stringify(object);
    expect(carrierOf(object)).toBeUndefined();
    expect(dropUpgradeListener(object)).toBe(false);
    expect(knowsClient(object, 'id')).toBe(false);
    expect(limitClosing(object, 10)).toBe(false);
    expect(fitClient(object)).toBe(false);
    expect(replaceOnDataRequest(object, () => {})).toBe(false);
    expect(JSON.stringify(object)).toBe(before);
  });

  it.each(['onPacket', 'onClose', 'onError', 'headers', 'parser'])(
    'a transport without %s handles payloads itself',
    async (name) => {
      const { conn, client } = await polling();
      const received: unknown[] = [];
      conn.on('data', (data: unknown) => received.push(data));
      const { transport } = conn;
      const lacking = new Proxy(transport, {
        get: (target, field) => (field === name ? undefined : Reflect.get(target, field)),
      });
      expect(replaceOnDataRequest(lacking, (_, response) => response.end('not ok'))).toBe(false);
      await client.say('40', '42["said"]');
      expect(received).toEqual(['0', '2["said"]']);
    },
  );
});
