import { attachGateway, createGateway, type Gateway, type SocketIo, type UnknownEvents } from 'pregon';
import type { Server, Socket } from 'socket.io';
import { type Socket as ClientSocket, io as connect } from 'socket.io-client';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';

interface ClientEvents {
  bid(amount: number, answer: (accepted: boolean) => void): void;
  leave(): void;
}

interface ServerEvents {
  sold(item: { id: string; price: number }): void;
  confirm(question: string, answer: (yes: boolean) => void): void;
}

interface GatewayEvents {
  count(answer: (connections: number) => void): void;
}

interface Data {
  user: { name: string };
}

interface Auction {
  clientEvents: ClientEvents;
  serverEvents: ServerEvents;
  gatewayEvents: GatewayEvents;
  data: Data;
}

type AuctionSocket = Parameters<Parameters<SocketIo<Auction>['use']>[0]>[0];

async function start(): Promise<{ gateway: Gateway<Auction>; client: ClientSocket<ServerEvents, ClientEvents> }> {
  const gateway = await createGateway<Auction>({
    log: `sqlite:${temporaryFolder()}/log.db`,
    routes: { events: { path: '/events' } },
  });
  afterTest(() => gateway.close({ spreadMs: 0 }));
  const { port } = await gateway.listen({ port: 0 });
  const client: ClientSocket<ServerEvents, ClientEvents> = connect(`http://127.0.0.1:${port}/events`);
  afterTest(() => client.disconnect());
  return { gateway, client };
}

describe('The types of gateway.io with the events of the application', () => {
  it('[001-17] hold from end to end: declared events compile, and nothing else', async () => {
    const { gateway, client } = await start();
    const events = gateway.io.of('/events');
    events.on('connection', (socket) => {
      expectTypeOf(socket).toEqualTypeOf<AuctionSocket>();
      expectTypeOf(socket.data).toEqualTypeOf<Data>();
      socket.data.user = { name: 'ada' };
      // @ts-expect-error the data has no such name
      socket.data.admin = true;
      socket.on('bid', (amount, answer) => {
        expectTypeOf(amount).toEqualTypeOf<number>();
        expectTypeOf(answer).toEqualTypeOf<(accepted: boolean) => void>();
        answer(amount > 10);
      });
      // @ts-expect-error no client emits this
      socket.on('unknown', () => {});
      // @ts-expect-error a bid is a number
      socket.on('bid', (amount: string) => amount);
    });
    await new Promise<void>((resolve) => client.once('connect', resolve));
    expect(await client.emitWithAck('bid', 11)).toBe(true);
    client.on('confirm', (question, answer) => answer(question === 'sure?'));
    const [socket] = events.sockets.values();
    const one = socket?.emitWithAck('confirm', 'sure?');
    expectTypeOf(one).toEqualTypeOf<Promise<boolean> | undefined>();
    expect(await one).toBe(true);
    const all = events.timeout(1_000).emitWithAck('confirm', 'sure?');
    expectTypeOf(all).resolves.toEqualTypeOf<boolean[]>();
    expect(await all).toEqual([true]);
    const counts = gateway.io.serverSideEmitWithAck('count');
    expectTypeOf(counts).resolves.toEqualTypeOf<number[]>();
    expect(await counts).toEqual([]);
    const [found] = await events.fetchSockets();
    expectTypeOf(found?.data).toEqualTypeOf<Data | undefined>();
    expect(found?.data.user.name).toBe('ada');
  });

  it('hold for every method that emits', async () => {
    const { gateway } = await start();
    const { io } = gateway;
    const item = { id: 'a', price: 1 };
    io.emit('sold', item);
    io.of('/events').to('room').except('other').volatile.emit('sold', item);
    // @ts-expect-error the price is missing
    io.emit('sold', { id: 'a' });
    // @ts-expect-error clients emit it, the server does not
    io.to('room').emit('bid', 1);
    // @ts-expect-error it is not an event between gateways
    io.serverSideEmit('sold', item);
    // @ts-expect-error this event expects no answer
    const asked = io.timeout(10).emitWithAck('sold', item);
    await asked.catch(() => {});
    io.on('count', (answer) => {
      expectTypeOf(answer).toEqualTypeOf<(connections: number) => void>();
    });
  });
});

describe('[fault D5] The types of gateway.io', () => {
  it('fit code that is written for a Socket.IO server with two type parameters', () => {
    type Io = Gateway<{ clientEvents: ClientEvents; serverEvents: ServerEvents }>['io'];
    expectTypeOf<Io>().toExtend<Server<ClientEvents, ServerEvents>>();
    expectTypeOf<Gateway['io']>().toExtend<Server>();
  });

  it('[fault D5] reject unknown names', () => {
    // @ts-expect-error the name is clientEvents
    type Misspelt = Gateway<{ clientEvent: ClientEvents; serverEvents: ServerEvents }>;
    // @ts-expect-error the name is serverEvents
    expectTypeOf(createGateway<{ clientEvents: ClientEvents; emits: ServerEvents }>).toBeFunction();
    // @ts-expect-error no such name is known
    expectTypeOf(attachGateway<{ events: ClientEvents }>).toBeFunction();
    expectTypeOf<Misspelt>().not.toBeNever();
  });

  it('[fault D5] apply also to a gateway without routes, which serves Socket.IO alone', async () => {
    for (const routes of [{}, undefined]) {
      const gateway = await createGateway({ log: `sqlite:${temporaryFolder()}/log.db`, ...(routes ? { routes } : {}) });
      afterTest(() => gateway.close({ spreadMs: 0 }));
      const { port } = await gateway.listen({ port: 0 });
      gateway.io.of('/chat').on('connection', (socket) => socket.emit('hello', 1));
      const client = connect(`http://127.0.0.1:${port}/chat`);
      afterTest(() => client.disconnect());
      expect(await new Promise((resolve) => client.once('hello', resolve))).toBe(1);
    }
  });

  it('[fault D5] do not reject a gateway that would serve nothing: it throws and names the remedy', async () => {
    const options = { log: `sqlite:${temporaryFolder()}/log.db`, routes: {}, socketIo: false } as const;
    await expect(createGateway(options)).rejects.toThrow(
      /at least one route; use createComponentServer to serve components only/,
    );
  });
});

describe('The types of gateway.io without declared events', () => {
  it('accept any event with unknown arguments, never with any', async () => {
    const gateway = await createGateway({
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events' } },
    });
    afterTest(() => gateway.close({ spreadMs: 0 }));
    expectTypeOf(gateway).toEqualTypeOf<Gateway>();
    expectTypeOf(gateway.io).toEqualTypeOf<SocketIo>();
    gateway.io.emit('whatever', 1, { two: true });
    gateway.io.on('connection', (socket) => {
      expectTypeOf(socket).not.toBeAny();
      expectTypeOf(socket).toEqualTypeOf<
        Socket<UnknownEvents, UnknownEvents, UnknownEvents, Record<string, unknown>>
      >();
      expectTypeOf(socket.data['user']).toEqualTypeOf<unknown>();
      socket.data['user'] = { name: 'ada' };
      socket.on('anything', (...args) => expectTypeOf(args).toEqualTypeOf<unknown[]>());
      socket.on('one', (argument) => {
        expectTypeOf(argument).toEqualTypeOf<unknown>();
        // @ts-expect-error the type has to be narrowed first
        argument.name;
      });
    });
  });

  it('keep the other members of the gateway free of any', () => {
    expectTypeOf<Gateway['publish']>().parameters.not.toBeAny();
    expectTypeOf<Awaited<ReturnType<Gateway['publish']>>>().not.toBeAny();
    expectTypeOf<Awaited<ReturnType<Gateway['publish']>>['data']>().toEqualTypeOf<unknown>();
    expectTypeOf<Gateway['io']>().not.toBeAny();
    expectTypeOf<Parameters<Gateway['connections']>>().toEqualTypeOf<[route: string]>();
  });

  it('[000-08] allow gateway.io even with socketIo: false, although it then throws', async () => {
    const gateway = await createGateway({
      log: `sqlite:${temporaryFolder()}/log.db`,
      routes: { events: { path: '/events' } },
      socketIo: false,
    });
    afterTest(() => gateway.close());
    expect(() => gateway.io).toThrow('socketIo: false');
  });
});

describe('The options of Socket.IO’s server', () => {
  it('do not include the options that the gateway sets itself', () => {
    type Options = Exclude<Parameters<typeof createGateway>[0]['socketIo'], false | undefined>;
    expectTypeOf<Options>().toHaveProperty('pingInterval');
    expectTypeOf<Options>().toHaveProperty('allowRequest');
    expectTypeOf<Options>().not.toHaveProperty('adapter');
    expectTypeOf<Options>().not.toHaveProperty('connectionStateRecovery');
    expectTypeOf<Options>().not.toHaveProperty('parser');
  });
});
