import { describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { SocketIoClient, WAYS } from '../../support/gateway/socketio-client.js';
import { PollingClient } from '../../support/socketio/engine-client.js';
import { eventually } from '../../support/waiting.js';

/**
 * Records each connection to `/events` as the application sees it, and gives a room and data to those that are not
 * recovered.
 */
function watch({ gateway }: TestGateway): { id: string; recovered: boolean; rooms: string[]; user: unknown }[] {
  const seen: { id: string; recovered: boolean; rooms: string[]; user: unknown }[] = [];
  gateway.io.of('/events').on('connection', (socket) => {
    const rooms = [...socket.rooms].filter((room) => room !== socket.id);
    seen.push({ id: socket.id, recovered: socket.recovered, rooms, user: socket.data['user'] });
    if (socket.recovered) return;
    socket.join('team');
    socket.data['user'] = 'ada';
  });
  return seen;
}

async function gone({ gateway }: TestGateway): Promise<void> {
  await eventually(
    () => gateway.connections('events').count,
    (count) => count === 0,
  );
}

describe.each(WAYS)('A stock client by %s', (_, ways) => {
  const transports = [...ways];

  it('[fault D1] that left by disconnect() begins anew, at the same offset', async () => {
    const test = await startGateway();
    const seen = watch(test);
    const client = await SocketIoClient.open(test.http('/events'), { transports, auth: { names: 'event' } });
    await test.append(1);
    await client.count('event', 1);
    client.socket.disconnect();
    await gone(test);
    await test.append(1);
    client.socket.connect();
    await client.count('event', 2);
    expect(client.recovered).toEqual([false, false]);
    expect(client.numbers()).toEqual([1, 2]);
    expect(seen.map(({ recovered }) => recovered)).toEqual([false, false]);
    expect(seen[0]?.id).not.toBe(seen[1]?.id);
  });

  it('[fault D2] that a middleware refused is recovered with id, rooms and data when it is admitted later', async () => {
    const test = await startGateway();
    const seen = watch(test);
    let tokenIsOver = false;
    test.gateway.io.of('/events').use((_socket, next) => next(tokenIsOver ? new Error('token is over') : undefined));
    const client = await SocketIoClient.open(test.http('/events'), { transports });
    await client.count('subscribed', 1);
    for (let n = 0; n < 3; n++) {
      tokenIsOver = true;
      const refused = new Promise<Error>((resolve) => client.socket.once('connect_error', resolve));
      if (n === 0) client.breakOff();
      else client.socket.connect();
      await expect(refused).resolves.toMatchObject({ message: 'token is over' });
    }
    tokenIsOver = false;
    client.socket.connect();
    await client.connected(2);
    expect(client.recovered).toEqual([false, true]);
    expect(seen[1]).toEqual({ id: seen[0]?.id, recovered: true, rooms: ['team'], user: 'ada' });
  });
});

describe('[fault D1] A return', () => {
  it('after the server disconnected the client begins anew', async () => {
    const test = await startGateway();
    const seen = watch(test);
    const client = await SocketIoClient.open(test.http('/events'));
    await client.count('subscribed', 1);
    const told = new Promise((resolve) => client.socket.once('disconnect', resolve));
    test.gateway.io.of('/events').disconnectSockets();
    await expect(told).resolves.toBe('io server disconnect');
    client.socket.connect();
    await client.connected(2);
    expect(client.recovered).toEqual([false, false]);
    expect(seen.map(({ recovered }) => recovered)).toEqual([false, false]);
  });

  it('to another gateway after disconnect() begins anew, too', async () => {
    const test = await startGateway();
    const other = await startGateway({ logFile: test.logFile });
    const client = await SocketIoClient.open(test.http('/events'));
    await client.count('subscribed', 1);
    const { id } = client.socket;
    client.socket.disconnect();
    await gone(test);
    // The gateways tell each other without a confirmation, so a later message of this test shows that the news has
    // arrived.
    const told = new Promise((resolve) => other.gateway.io.once('told', () => resolve(undefined)));
    await new Promise((resolve) => setImmediate(resolve));
    test.gateway.io.serverSideEmit('told');
    await told;
    Reflect.set(client.socket.io, 'uri', new URL(other.http('/events')).origin);
    client.socket.connect();
    await client.connected(2);
    expect(client.recovered).toEqual([false, false]);
    expect(client.socket.id).not.toBe(id);
  });

  it('of a connection that the gateway still holds keeps the rooms of all its namespaces', async () => {
    const routes = { events: { path: '/events' }, more: { path: '/more' } };
    const test = await startGateway({ routes });
    const rooms: string[] = [];
    for (const path of ['/events', '/more']) {
      test.gateway.io.of(path).on('connection', (socket) => {
        if (socket.recovered) rooms.push(...[...socket.rooms].filter((room) => room !== socket.id));
        else socket.join(`room of ${path}`);
      });
    }
    const client = await SocketIoClient.open(test.http('/events'));
    const more = client.socket.io.socket('/more');
    await new Promise((resolve) => more.once('subscribed', resolve));
    await client.count('subscribed', 1);
    // Another connection with the same private ids, so the gateway takes the first one for broken.
    const twin = new SocketIoClient(test.http('/events'), { autoConnect: false });
    const twinOfMore = twin.socket.io.socket('/more');
    for (const [from, to] of [
      [client.socket, twin.socket],
      [more, twinOfMore],
    ] as const) {
      for (const name of ['_pid', '_lastOffset']) Reflect.set(to, name, Reflect.get(from, name));
    }
    client.socket.io.reconnection(false);
    twin.socket.connect();
    await twin.connected();
    twinOfMore.connect();
    await eventually(
      () => rooms.length,
      (count) => count === 2,
    );
    expect(rooms).toEqual(['room of /events', 'room of /more']);
  });

  it('after a clean end of the transport connection is recovered, as in Socket.IO', async () => {
    const test = await startGateway();
    const client = await SocketIoClient.open(test.http('/events'));
    await client.count('subscribed', 1);
    client.breakOff();
    await client.connected(2);
    expect(client.recovered).toEqual([false, true]);
  });
});

describe('[fault D2] A pending return', () => {
  it('ends if the log does not hold the position; the next return is recovered', async () => {
    const test = await startGateway();
    const elsewhere = await startGateway();
    await elsewhere.append(3);
    const client = await SocketIoClient.open(test.http('/events'), { auth: { names: 'event' } });
    await client.count('subscribed', 1);
    await test.append(1);
    await client.count('event', 1);
    const pid = Reflect.get(client.socket, '_pid');
    const offset = Reflect.get(client.socket, '_lastOffset');
    client.socket.io.reconnection(false);
    client.breakOff();
    await gone(test);
    const stranger = await SocketIoClient.open(elsewhere.http('/events'));
    await stranger.count('subscribed', 1);
    const wrong = Reflect.get(stranger.socket, '_lastOffset');
    const returns = async (at: unknown) => {
      const back = new SocketIoClient(test.http('/events'), { autoConnect: false });
      Reflect.set(back.socket, '_pid', pid);
      Reflect.set(back.socket, '_lastOffset', at);
      back.socket.connect();
      await back.connected();
      return back.recovered;
    };
    expect(await returns(wrong)).toEqual([false]);
    expect(await returns(offset)).toEqual([true]);
  });
});

describe('[fault D6] The answer to CONNECT', () => {
  it('carries a private session id on routes only', async () => {
    const { http, gateway } = await startGateway();
    gateway.io.of('/chat');
    gateway.io.of(/^\/room-\d+$/).use((socket, next) => {
      socket.join('a room of its own, joined early');
      next();
    });
    const client = await PollingClient.open(new URL(http('/')).origin);
    for (const namespace of ['/', '/chat', '/room-7', '/events']) {
      await client.say(`40${namespace === '/' ? '' : `${namespace},`}`);
      const [answer = ''] = await client.packets();
      const members: unknown = JSON.parse(answer.slice(answer.indexOf('{')));
      expect(Object.keys(Object(members)), namespace).toEqual(namespace === '/events' ? ['sid', 'pid'] : ['sid']);
    }
  });
});
