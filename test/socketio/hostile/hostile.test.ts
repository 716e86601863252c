import { once } from 'node:events';
import { createGateway } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { within } from '../../support/gateway/inbox.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { eventually } from '../../support/waiting.js';

const MIB = 1_048_576;

/** Opens a bare WebSocket for raw packets. */
async function connect(http: string): Promise<{ socket: WebSocket; said: string[] }> {
  const url = new URL('/socket.io/?EIO=4&transport=websocket', http);
  url.protocol = 'ws:';
  const socket = new WebSocket(url);
  afterTest(() => socket.terminate());
  const said: string[] = [];
  socket.on('message', (data) => said.push(data.toString()));
  await within(once(socket, 'open'), 'a WebSocket');
  return { socket, said };
}

async function enter(http: string, auth = ''): Promise<{ socket: WebSocket; said: string[] }> {
  const client = await connect(http);
  client.socket.send(`40/events,${auth}`);
  await eventually(
    () => client.said.some((text) => text.startsWith('40/events,')),
    (entered) => entered,
  );
  return client;
}

describe('[I-8] A hostile client', () => {
  it.each([
    '42/events,["unsubscribe",{"id":{"toString":1,"valueOf":1}}]',
    '42/events,["unsubscribe"]',
    '42/events,["unsubscribe",""]',
    '42/events,["subscribe",{"topics":{"length":5}}]',
    '42/events,["subscribe",null]',
    '42/events,[7,7]',
    '42/events,["__proto__",{"__proto__":1}]',
  ])('harms no other client with %s', async (packet) => {
    const gateway = await GatewayProcess.start({ log: newLog() });
    const { socket } = await enter(gateway.http('/events'));
    socket.send(packet);
    const after = await SocketIoClient.open(gateway.http('/events'));
    await after.count('subscribed', 1);
    expect(gateway.isRunning).toBe(true);
  });

  it('is refused topics that are too many to compare, before the comparison, and delays no other client', async () => {
    const { http } = await startGateway();
    const wild = (count: number, word: string) => Array.from({ length: count }, (_, n) => `*.${word}${n}`);
    const client = await SocketIoClient.open(http('/events'), { auth: { topics: wild(400, 'a') } });
    const before = process.cpuUsage();
    // Together fewer than a connection may have, so that the limit of comparisons refuses them.
    for (const topics of [wild(400, 'b'), wild(590, 'c')]) {
      expect(await client.ask('subscribe', topics)).toMatchObject({
        error: { code: 'TOO_MANY_SUBSCRIPTIONS', message: expect.stringContaining('to check them for overlaps') },
      });
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(2_000);
  });

  it('[I-7] loses its connection if it asks without end and reads no answer', async () => {
    // No rate limit, because it would only slow the test down.
    const gateway = await GatewayProcess.start({ log: newLog(), maxFramesPerSecond: 0 });
    const { socket } = await enter(gateway.http('/events'));
    const before = await gateway.memory();
    socket.pause();
    for (let n = 0; n < 200_000; n++) socket.send('42/events,["unsubscribe",9]');
    await eventually(
      () => gateway.connections(),
      (count) => count === 0,
    );
    expect((await gateway.memory()) - before).toBeLessThan(64 * MIB);
  });

  it('leaves nothing behind if it enters one namespace many times at once', async () => {
    const { http, gateway } = await startGateway();
    const first = await SocketIoClient.open(http('/events'));
    await first.count('subscribed', 1);
    const auth = JSON.stringify({
      pid: Reflect.get(first.socket, '_pid'),
      offset: Reflect.get(first.socket, '_lastOffset'),
    });
    first.socket.io.reconnection(false);
    first.breakOff();
    for (let n = 0; n < 5; n++) {
      const { socket } = await connect(http('/events'));
      for (let again = 0; again < 3; again++) socket.send(`40/events,${auth}`);
      await within(once(socket, 'close'), 'the end of the connection');
    }
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 0,
    );
    const began = performance.now();
    await gateway.close({ spreadMs: 0, timeoutMs: 50_000 });
    expect(performance.now() - began).toBeLessThan(40_000);
  });
});

describe('[G-1] Two clients that return with the same private id at the same time', () => {
  it('become two connections: one is recovered, the other begins anew, and both get all later events', async () => {
    const { http, gateway, append } = await startGateway();
    const first = await SocketIoClient.open(http('/events'), { auth: { names: 'event' } });
    await first.count('subscribed', 1);
    const [pid, offset] = ['_pid', '_lastOffset'].map((name) => Reflect.get(first.socket, name));
    first.socket.io.reconnection(false);
    first.breakOff();
    // Both are entering while a middleware decides about them.
    const waiting: (() => void)[] = [];
    gateway.io.of('/events').use((_, next) => {
      waiting.push(next);
    });
    const twins = [await connect(http('/events')), await connect(http('/events'))];
    const auth = JSON.stringify({ pid, offset, names: 'event' });
    for (const { socket } of twins) socket.send(`40/events,${auth}`);
    await eventually(
      () => waiting.length,
      (count) => count === 2,
    );
    for (const next of waiting) next();
    const ids = await eventually(
      () => twins.map(({ said }) => said.find((text) => text.startsWith('40/events,'))?.slice(0, 40)),
      (all) => all.every((id) => id !== undefined),
    );
    expect(new Set(ids).size).toBe(2);
    await append(3);
    for (const { said } of twins) {
      await eventually(
        () => said.filter((text) => text.startsWith('42/events,["event"')).length,
        (count) => count === 3,
      );
    }
    expect(gateway.connections('events').count).toBe(2);
  });
});

describe('An application with its own server', () => {
  it('can remove all listeners of a connection, which is still released when it ends', async () => {
    const { http, gateway } = await startGateway();
    const client = await SocketIoClient.open(http('/events'));
    await client.count('subscribed', 1);
    for (const socket of gateway.io.of('/events').sockets.values()) socket.removeAllListeners();
    client.socket.disconnect();
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 0,
    );
  });

  it('cannot send a message under a reserved name: the call throws', async () => {
    const { http, gateway } = await startGateway();
    const client = await SocketIoClient.open(http('/events'));
    const connections = gateway.connections('events');
    for (const name of ['disconnect', 'connect_error', 'newListener', 'reset', 'draining']) {
      expect(() => connections.broadcast(1, { name })).toThrow(TypeError);
    }
    expect(client.socket.connected).toBe(true);
  });

  it('that answers with a value that JSON cannot represent causes an error for the client that asked', async () => {
    const handlers = [{ messages: { ask: () => ({ big: 1n }) } }];
    const { http } = await startGateway({ routes: { events: { path: '/events', handlers } } });
    const client = await SocketIoClient.open(http('/events'));
    expect(await client.ask('ask', 1)).toMatchObject({ error: { code: 'HANDLER_FAILED' } });
  });

  it('cannot set options on which recovery and rooms depend: the start fails', async () => {
    const options = { log: newLog(), routes: { events: { path: '/events' } } };
    const socketIo = {};
    // As in JavaScript, without the check of types.
    Reflect.set(socketIo, 'parser', {});
    await expect(createGateway({ ...options, socketIo })).rejects.toThrow('socketIo.parser');
  });

  it('[G-7] redirects a client that enters while the gateway closes, which delays nothing', async () => {
    const { http, gateway } = await startGateway();
    const { socket, said } = await connect(http('/events'));
    const held = await SocketIoClient.open(http('/events'), { reconnection: false });
    await held.count('subscribed', 1);
    const began = performance.now();
    const closing = gateway.close({ spreadMs: 500, timeoutMs: 50_000 });
    socket.send('40/events,');
    await within(once(socket, 'close'), 'the end of the connection');
    await closing;
    expect(said.filter((text) => text.includes('"subscribed"'))).toEqual([]);
    expect(performance.now() - began).toBeLessThan(40_000);
  });
});

function newLog(): string {
  return `sqlite:${temporaryFolder()}/log.db`;
}
