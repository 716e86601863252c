import { Server, type Socket } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { Inbox } from '../../../../test/support/gateway/inbox.js';
import { SocketIoClient } from '../../../../test/support/gateway/socketio-client.js';
import { listening } from '../../../../test/support/private-fields/listening.js';
import { PollingClient } from '../../../../test/support/socketio/engine-client.js';
import { breakOff, fitSocket, replacePrivateId, watchNamespaces } from '../../src/private-fields/socket-io.js';

async function start() {
  const { server, port } = await listening();
  const io = new Server(server, { connectionStateRecovery: {} });
  afterTest(() => io.close());
  const origin = `http://127.0.0.1:${port}`;
  const entered = new Promise<Socket>((resolve) => io.once('connection', resolve));
  return { io, origin, entered };
}

describe('the private fields of Socket.IO exist:', () => {
  it('the lookup of a namespace', async () => {
    const { io, origin } = await start();
    const unknown = new Inbox<string>();
    expect(watchNamespaces(io, (name) => unknown.push(name))).toBe(true);
    const client = new SocketIoClient(`${origin}/nowhere`);
    expect(await unknown.count(1)).toEqual(['/nowhere']);
    client.socket.disconnect();
    await SocketIoClient.open(origin);
    expect(unknown.all).toEqual(['/nowhere']);
  });

  it.each([
    ['of the gateway', 'a private id', 'a private id'],
    ['none', undefined, undefined],
  ])('the private session id that is sent to a client: %s', async (_, pid, told) => {
    const { io, origin } = await start();
    const replaced: boolean[] = [];
    io.use((socket, next) => {
      replaced.push(replacePrivateId(socket, pid));
      next();
    });
    const client = await PollingClient.open(origin);
    await client.say('40');
    const [answer = ''] = await client.packets();
    expect(replaced).toEqual([true]);
    expect(JSON.parse(answer.slice(2)).pid).toBe(told);
  });

  it('the end of a client, after which its session is kept', async () => {
    const { origin, entered } = await start();
    const client = await SocketIoClient.open(origin, { transports: ['websocket'] });
    const socket = await entered;
    // The id that a client needs to return.
    socket.emit('said', 'word');
    await client.count('said', 1);
    expect(breakOff(socket.client)).toBe(true);
    expect(socket.disconnected).toBe(true);
    await client.connected(2);
    expect(client.recovered).toEqual([false, true]);
  });

  it('the lists of listeners, which are still called', async () => {
    const { origin, entered } = await start();
    const client = await SocketIoClient.open(origin);
    const socket = await entered;
    const heard = new Inbox<unknown>();
    socket.onAny((...args: unknown[]) => heard.push(args));
    expect(fitSocket(socket)).toEqual(['_anyListeners', '$decoded']);
    client.socket.emit('said', 'word');
    expect(await heard.count(1)).toEqual([['said', 'word']]);
  });
});

describe('without the private fields of Socket.IO, nothing changes for', () => {
  it.each([
    ['an object without fields', {}],
    ['an object with fields of another type', { _checkNamespace: 1, _anyListeners: 1, client: {}, close: 1 }],
  ])('%s', (_, object) => {
    const before = JSON.stringify(object);
    expect(watchNamespaces(object, () => {})).toBe(false);
    expect(replacePrivateId(object, 'id')).toBe(false);
    expect(breakOff(object)).toBe(false);
    expect(fitSocket(object)).toEqual([]);
    expect(JSON.stringify(object)).toBe(before);
  });
});
