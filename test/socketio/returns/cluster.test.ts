import type { Gateway } from 'pregon';
import { expect, it } from 'vitest';
import { numbers } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { within } from '../../support/gateway/inbox.js';
import { SocketIoClient } from '../../support/gateway/socketio-client.js';
import { describeWithLogs, type Member, startMember, untilSeen } from '../../support/socketio/cluster.js';
import { eventually } from '../../support/waiting.js';

interface Types {
  serverEvents: Asked & Told;
  gatewayEvents: Between;
  data: { user?: string; secret?: () => void };
}

/** The messages that clients are asked to answer. */
interface Asked {
  ask(text: string, answer: (value: unknown) => void): void;
}

/** The messages that clients receive. */
interface Told {
  told(what: string, ...more: unknown[]): void;
  'last word'(): void;
}

interface Between {
  say(what: unknown): void;
  sum(a: number, b: number, answer: (sum: number) => void): void;
}

interface Pair {
  readonly a: Member<Types>;
  readonly b: Member<Types>;
  /** Two clients of each gateway: a, a, b, b. */
  readonly clients: readonly [SocketIoClient, SocketIoClient, SocketIoClient, SocketIoClient];
  readonly ids: readonly string[];
  /** The clients that were told this. A last word from each gateway reaches all of them first. */
  hearers(what: string): Promise<number[]>;
}

describeWithLogs('Socket.IO’s server API over two gateways', (newLog) => {
  // A namespace of the application, and a route.
  for (const name of ['/chat', '/events']) {
    const namespaceOf = ({ gateway }: { gateway: Gateway<Types> }) => gateway.io.of(name);

    async function startPair(): Promise<Pair> {
      const log = newLog();
      const a = await startMember<Types>(log);
      const b = await startMember<Types>(log);
      for (const { gateway } of [a, b]) gateway.io.of(name);
      for (const { gateway } of [a, b]) await untilSeen(gateway, name, 2);
      const clients = [
        await a.connect(name),
        await a.connect(name),
        await b.connect(name),
        await b.connect(name),
      ] as const;
      let words = 0;
      return {
        a,
        b,
        clients,
        ids: clients.map(({ socket }) => socket.id ?? ''),
        async hearers(what) {
          words += 2;
          for (const member of [a, b]) namespaceOf(member).emit('last word');
          for (const client of clients) await client.count('last word', words);
          return clients.flatMap((client, at) => (client.of('told').some(([told]) => told === what) ? [at] : []));
        },
      };
    }

    it(`[003-23][G-3] emits in ${name} to all, to rooms, to all but some, and to one by its id`, async () => {
      const { a, b, clients, ids, hearers } = await startPair();
      const [first] = namespaceOf(a).sockets.values();
      await first?.join('room');
      namespaceOf(a)
        .in(ids[2] ?? '')
        .socketsJoin('room');
      namespaceOf(a).emit('told', 'all');
      namespaceOf(a).to('room').emit('told', 'room');
      namespaceOf(a).except('room').emit('told', 'not the room');
      namespaceOf(a).local.emit('told', 'local');
      first?.broadcast.emit('told', 'others');
      first?.to('room').emit('told', 'others in room');
      namespaceOf(a)
        .to(ids[3] ?? '')
        .emit('told', 'one');
      expect(await hearers('all')).toEqual([0, 1, 2, 3]);
      expect(await hearers('room')).toEqual([0, 2]);
      expect(await hearers('not the room')).toEqual([1, 3]);
      expect(await hearers('local')).toEqual([0, 1]);
      expect(await hearers('others')).toEqual([1, 2, 3]);
      expect(await hearers('others in room')).toEqual([2]);
      expect(await hearers('one')).toEqual([3]);
      namespaceOf(b).in('room').socketsLeave('room');
      namespaceOf(b).to('room').emit('told', 'nobody');
      expect(await hearers('nobody')).toEqual([]);
      for (const client of clients) expect(client.of('told').filter(([what]) => what === 'all').length).toBe(1);
    });

    it(`[001-13] emits in ${name} to all gateways exactly what local clients get: bytes, dates, and values with toJSON`, async () => {
      const { a, clients } = await startPair();
      const what = {
        money: { cents: 250, toJSON: () => ({ euros: 2.5 }) },
        at: new Date(0),
        bytes: Buffer.from([1, 2, 3]),
        nothing: undefined,
        list: [undefined, new Uint8Array([4])],
        call: () => {},
      };
      namespaceOf(a).emit('told', 'this', what);
      const [, mine] = (await clients[0].count('told', 1))[0] ?? [];
      const [, theirs] = (await clients[2].count('told', 1))[0] ?? [];
      expect(mine).toEqual({
        money: { euros: 2.5 },
        at: '1970-01-01T00:00:00.000Z',
        bytes: Buffer.from([1, 2, 3]),
        list: [null, Buffer.from([4])],
      });
      expect(theirs).toEqual(mine);
    });

    it(`[I-1] keeps the order of the messages that one gateway emits in ${name}`, async () => {
      const { a, clients } = await startPair();
      for (let n = 1; n <= 500; n++) namespaceOf(a).emit('told', String(n), n % 5 === 0 ? Buffer.alloc(100) : 0, 0);
      for (const client of clients) {
        await client.count('told', 500);
        expect(client.of('told').map(([n]) => Number(n))).toEqual(numbers(1, 500));
      }
    });

    it(`[003-20] asks all clients in ${name} on both, and reports the ones that do not answer in time`, async () => {
      const { b, clients } = await startPair();
      for (const [at, { socket }] of clients.entries()) {
        socket.on('ask', (text: string, answer: (value: unknown) => void) => answer({ text, at }));
      }
      const answers: unknown = await namespaceOf(b).timeout(5_000).emitWithAck('ask', 'who');
      expect(answers).toHaveLength(4);
      for (const at of [0, 1, 2, 3]) expect(answers).toContainEqual({ text: 'who', at });
      clients[0].socket.off('ask');
      const failed = namespaceOf(b).timeout(2_000).emitWithAck('ask', 'again');
      await expect(failed).rejects.toMatchObject({ responses: expect.toSatisfy((all: unknown[]) => all.length === 3) });
    });

    it(`[003-02] finds all connections in ${name} on both, with their data, rooms and handshake`, async () => {
      const { a, b, ids } = await startPair();
      const [theirs] = namespaceOf(b).sockets.values();
      Object.assign(theirs?.data ?? {}, { user: 'ada', secret: () => {} });
      await theirs?.join('room');
      expect((await namespaceOf(a).fetchSockets()).map(({ id }) => id).sort()).toEqual([...ids].sort());
      const [found, ...more] = await namespaceOf(a).in('room').fetchSockets();
      expect(more).toEqual([]);
      expect(found?.id).toBe(ids[2]);
      expect(found?.data).toEqual({ user: 'ada' });
      expect([...(found?.rooms ?? [])]).toEqual([ids[2], 'room']);
      expect(found?.handshake).toMatchObject({ auth: {}, query: { EIO: '4' }, address: expect.any(String) });
      found?.join('other room');
      found?.emit('told', 'by its description');
      await eventually(
        () => theirs?.rooms.has('other room'),
        (joined) => joined === true,
      );
      expect((await namespaceOf(b).in('other room').fetchSockets()).map(({ id }) => id)).toEqual([ids[2]]);
      expect((await namespaceOf(a).local.fetchSockets()).length).toBe(2);
    });

    it(`[003-14] disconnects clients in ${name} on any gateway`, async () => {
      const { a, b, clients, ids } = await startPair();
      const gone = clients.map(({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)));
      namespaceOf(a)
        .in([ids[1] ?? '', ids[2] ?? ''])
        .disconnectSockets();
      expect(await within(gone[1] ?? Promise.reject(), 'the end of the connection')).toBe('io server disconnect');
      expect(await within(gone[2] ?? Promise.reject(), 'the end of the connection')).toBe('io server disconnect');
      expect(namespaceOf(b).sockets.size).toBe(1);
      namespaceOf(a).disconnectSockets(true);
      await within(Promise.all(gone), 'the end of all connections');
      expect(namespaceOf(b).sockets.size).toBe(0);
    });

    it(`[G-3] sends messages to the other gateways in ${name}, and asks them`, async () => {
      const { a, b } = await startPair();
      const said: unknown[] = [];
      namespaceOf(a).on('say', () => expect.unreachable());
      const heard = new Promise<void>((resolve) => {
        namespaceOf(b).on('say', (what) => {
          said.push(what);
          if (said.length === 2) resolve();
        });
      });
      namespaceOf(b).on('sum', (x, y, answer) => answer(x + y));
      namespaceOf(a).serverSideEmit('say', { bytes: Buffer.from('a') });
      namespaceOf(a).serverSideEmit('say', 'b');
      await within(heard, 'the messages');
      expect(said).toEqual([{ bytes: Buffer.from('a') }, 'b']);
      expect(await namespaceOf(a).serverSideEmitWithAck('sum', 1, 2)).toEqual([3]);
    });
  }

  it('[I-8] forgets a gateway that was killed, which then delays no request', async () => {
    const log = newLog();
    const other = await GatewayProcess.start({ routes: { events: { path: '/events' } }, ...log });
    const a = await startMember<Types>(log);
    const namespace = a.gateway.io.of('/events');
    // Only gateways that have had a Socket.IO client are counted.
    await SocketIoClient.open(other.http('/events'));
    await untilSeen(a.gateway, '/events', 2);
    const client = await a.connect('/events');
    expect((await namespace.fetchSockets()).length).toBe(2);
    await other.kill();
    // A request waits for the killed gateway until its end is noticed; after that it does not wait.
    const first = await namespace
      .timeout(1_000)
      .fetchSockets()
      .catch((error: Error) => error.message);
    expect(first).toEqual(expect.toSatisfy((seen: unknown) => Array.isArray(seen) || /timeout/.test(String(seen))));
    await untilSeen(a.gateway, '/events', 1);
    const after = performance.now();
    expect((await namespace.timeout(50_000).fetchSockets()).map(({ id }) => id)).toEqual([client.socket.id]);
    // Far less than the timeout of an answer.
    expect(performance.now() - after).toBeLessThan(40_000);
  });

  it('[G-7] learns at once that a gateway closes, so no request waits for it', async () => {
    const log = newLog();
    const a = await startMember<Types>(log);
    const b = await startMember<Types>(log);
    expect(b.gateway.io).toBeDefined();
    await untilSeen(a.gateway, '/events', 2);
    await b.gateway.close({ spreadMs: 0 });
    await eventually(
      () => a.gateway.io.of('/events').adapter.serverCount(),
      (count) => count === 1,
      3_000,
    );
    expect(await a.gateway.io.of('/events').fetchSockets()).toEqual([]);
  });
});
