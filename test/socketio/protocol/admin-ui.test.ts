import { instrument } from '@socket.io/admin-ui';
import { expect, it } from 'vitest';
import { within } from '../../support/gateway/inbox.js';
import type { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { describeWithLogs, type Member, startMember, untilSeen } from '../../support/socketio/cluster.js';
import { eventually } from '../../support/waiting.js';

/** Does what the page of the admin UI does when it connects; the page shows what is sent to it. */
describeWithLogs('[003-02] @socket.io/admin-ui on two gateways', (newLog) => {
  async function startPair(): Promise<{ a: Member; b: Member; admin: SocketIoClient }> {
    const log = newLog();
    const a = await startMember(log);
    const b = await startMember(log);
    for (const [at, { gateway }] of [a, b].entries()) {
      instrument(gateway.io, { auth: false, mode: 'development', serverId: `gateway-${at}` });
      gateway.io.of('/events').on('connection', (socket) => {
        socket.data['user'] = { name: 'ada' };
        socket.on('ask', (answer) => typeof answer === 'function' && answer('answer'));
      });
    }
    for (const { gateway } of [a, b]) for (const name of ['/admin', '/events']) await untilSeen(gateway, name, 2);
    const admin = await a.connect('/admin');
    return { a, b, admin };
  }

  it('shows the servers, and the connections of both with their data', async () => {
    const { a, b } = await startPair();
    const ids = [(await a.connect('/events')).socket.id, (await b.connect('/events')).socket.id];
    const admin = await a.connect('/admin');
    const [[sockets]] = [(await admin.count('all_sockets', 1))[0] ?? []];
    const shown = [sockets].flat().filter((socket) => Object(socket).nsp === '/events');
    expect(shown.map((socket) => Object(socket).id).sort()).toEqual(ids.sort());
    for (const socket of shown) {
      expect(socket).toMatchObject({ data: { user: { name: 'ada' } }, transport: expect.any(String) });
    }
    expect((await admin.count('config', 1))[0]?.[0]).toMatchObject({
      supportedFeatures: expect.arrayContaining(['EMIT', 'JOIN', 'MDISCONNECT', 'ALL_EVENTS']),
    });
    await eventually(
      () => new Set(admin.of('server_stats').map(([stats]) => Object(stats).serverId)).size,
      (servers) => servers === 2,
    );
  });

  it('shows what happens on both: connections, disconnections, rooms, emitted and received messages', async () => {
    const { b, admin } = await startPair();
    await admin.count('all_sockets', 1);
    const client = await b.connect('/events');
    await admin.received.until(
      () => admin.of('socket_connected').some(([socket]) => Object(socket).id === client.socket.id),
      'the new connection',
    );
    expect(await client.ask('ask')).toBe('answer');
    b.gateway.io.of('/events').emit('to all', 1);
    const { id } = client.socket;
    await admin.received.until(
      () => admin.of('event_received').some(([, by, args]) => by === id && [args].flat()[0] === 'ask'),
      'the message of the client',
    );
    await admin.received.until(
      () => admin.of('event_sent').some(([, to, args]) => to === id && [args].flat()[0] === 'to all'),
      'the emitted message',
    );
    b.gateway.io.of('/events').socketsJoin('room');
    await admin.received.until(
      () => admin.of('room_joined').some(([, room, who]) => room === 'room' && who === id),
      'the room',
    );
    client.socket.disconnect();
    await admin.received.until(
      () => admin.of('socket_disconnected').some(([, who]) => who === id),
      'the closed connection',
    );
  });

  it('can emit, join, leave and disconnect on both', async () => {
    const { a, b, admin } = await startPair();
    const clients = [await a.connect('/events'), await b.connect('/events')];
    const theirs = clients[1]?.socket.id ?? '';
    admin.socket.emit('emit', '/events', undefined, 'told', 'all');
    for (const client of clients) expect((await client.count('told', 1))[0]?.[0]).toBe('all');
    admin.socket.emit('join', '/events', 'room', theirs);
    const inRoom = () => b.gateway.io.of('/events').adapter.rooms.get('room')?.size;
    await eventually(inRoom, (size) => size === 1);
    admin.socket.emit('leave', '/events', 'room', theirs);
    await eventually(inRoom, (size) => size === undefined);
    const gone = new Promise((resolve) => clients[1]?.socket.once('disconnect', resolve));
    admin.socket.emit('_disconnect', '/events', false, theirs);
    expect(await within(gone, 'the end of the connection')).toBe('io server disconnect');
    expect(clients[0]?.socket.connected).toBe(true);
  });
});
