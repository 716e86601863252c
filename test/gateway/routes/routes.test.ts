import type { PregonEvent } from '@pregon/protocol';
import type { Connection, Connections } from 'pregon';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { eventually } from '../../support/waiting.js';

const THREE_ROUTES = { events: { path: '/events' }, resources: { path: '/rs' }, teams: { path: '/tms' } };

describe('The routes of a gateway', () => {
  it('[000-05] deliver each event as one JSON text frame, with its type and its position', async () => {
    const { gateway, ws } = await startGateway();
    const client = await PlainClient.open(ws('/events'));
    const published = await gateway.publish({
      exchange: 'my_events',
      topic: 'user.42.created',
      type: 'UserWasCreated',
      subject: 'user/42',
      data: { id: '42', name: 'Ada\n"Lovelace" 🎈' },
    });
    const [event] = await client.events.count(1);
    expect(event).toEqual(published);
    expect(event).toMatchObject({ specversion: '1.0', type: 'UserWasCreated', topic: 'user.42.created' });
    expect(event?.position).toMatch(/^[0-9a-z.]{1,40}$/);
    expect(client.texts[0]).not.toMatch(/[\n\r]/);
    expect(client.messages.all).toEqual([]);
  });

  it('[000-06] each have a path; another path is answered with 404', async () => {
    const { ws, append } = await startGateway({ routes: THREE_ROUTES });
    const clients = await Promise.all(['/events', '/rs', '/tms?x=1'].map((path) => PlainClient.open(ws(path))));
    await append(1);
    for (const client of clients) expect(await client.numbers(1)).toEqual([1]);
    for (const path of ['/', '/event', '/events/', '/events2', '/Events']) {
      expect((await refusal(ws(path))).statusCode).toBe(404);
    }
  });

  it('[000-07][000-08] each have their own connections, which are available by the name of the route', async () => {
    const { gateway, ws } = await startGateway({ routes: THREE_ROUTES });
    const [first, second] = [await PlainClient.open(ws('/events')), await PlainClient.open(ws('/events'))];
    const other = await PlainClient.open(ws('/rs'));
    const counts = () => gateway.routes.map(({ name }) => [name, gateway.connections(name).count]);
    await eventually(counts, (seen) => JSON.stringify(seen) === '[["events",2],["resources",1],["teams",0]]');
    expect(gateway.connections('events').broadcast('to events')).toBe(2);
    expect(await first.messages.count(1)).toEqual(['to events']);
    expect(await second.messages.count(1)).toEqual(['to events']);
    expect([...gateway.connections('resources')].map(({ route }) => route)).toEqual(['resources']);
    await first.close();
    await eventually(counts, (seen) => JSON.stringify(seen) === '[["events",1],["resources",1],["teams",0]]');
    gateway.connections('resources').broadcast('to resources');
    expect(await other.messages.count(1)).toEqual(['to resources']);
    expect(second.messages.all).toEqual(['to events']);
  });

  it('[000-08] throw an error that lists the names if a name is unknown, also when that prevents the start', async () => {
    const { gateway } = await startGateway({ routes: THREE_ROUTES });
    const expected = { code: 'ROUTE_UNKNOWN', message: expect.stringContaining('events, resources, teams') };
    expect(() => gateway.connections('reosurces')).toThrow(expect.objectContaining(expected));
    const handlers = [
      ({ connections }: { connections(name: string): Connections }) => {
        const nobody = connections('nobody');
        return { opened: () => void nobody.broadcast('never') };
      },
    ];
    const started = startGateway({ routes: { events: { path: '/events', handlers } } });
    await expect(started).rejects.toMatchObject({ code: 'ROUTE_UNKNOWN', message: expect.stringContaining('events') });
  });

  it('[000-17] carry only events of their exchanges and topics, also in replays', async () => {
    const routes = {
      users: { path: '/users', exchanges: ['users'] },
      orders: { path: '/orders', exchanges: ['orders', 'invoices'], topics: ['order.#'] },
    };
    const { ws, append } = await startGateway({ routes });
    const users = await PlainClient.open(ws('/users'));
    const orders = await PlainClient.open(ws('/orders?topics=%23'));
    const topic = (n: number) => (n % 2 === 0 ? `order.${n}` : `invoice.${n}`);
    await append(2, { exchange: 'users', topic });
    await append(2, { exchange: 'orders', topic });
    await append(2, { exchange: 'invoices', topic });
    await append(2, { exchange: 'secrets', topic });
    expect(await users.numbers(2)).toEqual([1, 2]);
    expect(await orders.numbers(2)).toEqual([4, 6]);
    const replayed = await PlainClient.open(ws('/orders?since=first&topics=order.*,invoice.*'));
    expect(await replayed.numbers(2)).toEqual([4, 6]);
  });
});

describe('Handlers', () => {
  it('[000-09] are called for opened, message and closed, with the connection’s id, address, request and notes', async () => {
    const seen = new Inbox<unknown[]>();
    const handlers = {
      opened: (connection: Connection) => {
        connection.notes.set('name', 'Ada');
        const { id, route, remoteAddress, transport, request } = connection;
        seen.push(['opened', id, route, remoteAddress, transport, request.url, request.headers['x-trace']]);
      },
      message: (connection: Connection, data: unknown) => seen.push(['message', connection.notes.get('name'), data]),
      closed: (connection: Connection, close: object) => seen.push(['closed', connection.isOpen, close]),
    };
    const { ws } = await startGateway({ routes: { events: { path: '/events', handlers: [handlers] } } });
    const client = await PlainClient.open(ws('/events?who=ada'), { headers: { 'X-Trace': '7' } });
    client.socket.send('hello');
    client.socket.send(Buffer.from([1, 2, 255]));
    await seen.count(3);
    client.socket.close(4321, 'had enough');
    await seen.count(4);
    expect(seen.all).toEqual([
      ['opened', expect.stringMatching(/^[0-9a-f-]{36}$/), 'events', '127.0.0.1', 'websocket', '/events?who=ada', '7'],
      ['message', 'Ada', 'hello'],
      ['message', 'Ada', Buffer.from([1, 2, 255])],
      ['closed', false, { code: 4321, reason: 'had enough' }],
    ]);
  });

  it('[000-09] that throw or reject are reported to the error handler, and to no other connection', async () => {
    const errors = new Inbox<string>();
    const handlers = {
      opened: ({ request }: Connection) => {
        if (request.url.endsWith('?bad')) throw new Error('opened failed');
      },
      message: async (_: Connection, data: unknown) => {
        if (data === 'bad') throw new Error('message failed');
      },
      error: (_: Connection, error: Error) => {
        errors.push(error.message);
        throw new Error('the error handler fails too');
      },
    };
    const { ws, append } = await startGateway({ routes: { events: { path: '/events', handlers: [handlers] } } });
    const bystander = await PlainClient.open(ws('/events'));
    await PlainClient.open(ws('/events?bad'));
    await errors.count(1);
    const client = await PlainClient.open(ws('/events'));
    client.socket.send('bad');
    await errors.count(2);
    expect(errors.all).toEqual(['opened failed', 'message failed']);
    await append(1);
    expect(await bystander.numbers(1)).toEqual([1]);
  });

  it('[000-09] can send to all connections, to all but one, or to one; a value that is not text or bytes goes as JSON', async () => {
    const handlers = [
      ({ connections }: { connections(name: string): Connections }) => ({
        message: (connection: Connection, data: unknown) => {
          connections('events').broadcast({ said: data }, { except: connection });
          connection.send(Buffer.from([0, 1]));
          connection.send('noted');
        },
      }),
    ];
    const { ws } = await startGateway({ routes: { events: { path: '/events', handlers } } });
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => PlainClient.open(ws('/events'))));
    one?.socket.send('hi');
    expect(await two?.messages.count(1)).toEqual(['{"said":"hi"}']);
    expect(await three?.messages.count(1)).toEqual(['{"said":"hi"}']);
    expect(await one?.messages.count(2)).toEqual([Buffer.from([0, 1]), 'noted']);
  });

  it('[000-12] can broadcast on each new connection, the new one included', async () => {
    const routes = {
      events: {
        path: '/events',
        handlers: [
          ({ connections }: { connections(name: string): Connections }) => ({
            opened: () => void connections('events').broadcast(`now ${connections('events').count}`),
          }),
        ],
      },
    };
    const { ws } = await startGateway({ routes });
    const first = await PlainClient.open(ws('/events'));
    expect(await first.messages.count(1)).toEqual(['now 1']);
    const second = await PlainClient.open(ws('/events'));
    expect(await second.messages.count(1)).toEqual(['now 2']);
    expect(await first.messages.count(2)).toEqual(['now 1', 'now 2']);
  });

  it('[000-14] and subscribers are built once, at start, before any client connects, and can be shared', async () => {
    const built: string[] = [];
    const build = (name: string) => async () => {
      built.push(name);
      return {};
    };
    const shared = { opened: (connection: Connection) => void connection.send('shared') };
    const { ws, gateway } = await startGateway({
      routes: {
        events: { path: '/events', handlers: [build('a'), build('b'), shared] },
        teams: { path: '/teams', handlers: [build('c'), shared] },
      },
      subscribers: [
        () => {
          built.push('subscriber');
          return { events: ['*'], handle() {} };
        },
      ],
    });
    expect(built).toEqual(['a', 'b', 'c', 'subscriber']);
    for (const path of ['/events', '/events', '/teams']) {
      const client = await PlainClient.open(ws(path));
      expect(await client.messages.count(1)).toEqual(['shared']);
    }
    expect(built).toHaveLength(4);
    expect(gateway.routes.map(({ name, path }) => `${name} ${path}`)).toEqual(['events /events', 'teams /teams']);
  });

  it('can close a connection within opened, with a code and a reason that is shortened to fit', async () => {
    const opened = (connection: Connection) =>
      connection.close({ code: 4504, reason: '', reconnect: false }, 'é'.repeat(100));
    const { ws, append } = await startGateway({ routes: { events: { path: '/events', handlers: [{ opened }] } } });
    await append(3);
    const client = new PlainClient(ws('/events?since=first'));
    const { code, reason } = await client.whenClosed();
    expect(code).toBe(4504);
    expect(reason).toBe('é'.repeat(61));
    expect(client.events.all).toEqual([]);
  });
});

describe('A route with broadcast', () => {
  it('[000-09] relays text and bytes of a client to all other clients of that route', async () => {
    const routes = { chat: { path: '/chat', broadcast: true }, events: { path: '/events' } };
    const { ws } = await startGateway({ routes });
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => PlainClient.open(ws('/chat'))));
    const elsewhere = await PlainClient.open(ws('/events'));
    one?.socket.send('hello');
    one?.socket.send(Buffer.from([7]));
    for (const other of [two, three]) expect(await other?.messages.count(2)).toEqual(['hello', Buffer.from([7])]);
    two?.socket.send('answer');
    expect(await one?.messages.count(1)).toEqual(['answer']);
    expect(two?.messages.all).toHaveLength(2);
    expect(elsewhere.messages.all).toEqual([]);
  });
});

describe('Subscribers', () => {
  it('[000-13][000-15] get the events of the types that they name, once, in order, from the start', async () => {
    const created = new Inbox<PregonEvent>();
    const all = new Inbox<PregonEvent>();
    const { append } = await startGateway({
      subscribers: [
        { events: ['UserWasCreated'], handle: (event) => created.push(event) },
        { events: ['*'], handle: (event) => all.push(event) },
      ],
    });
    await append(2, { type: 'UserWasCreated' });
    await append(2, { type: 'UserWasDeleted' });
    await append(1, { type: 'UserWasCreated' });
    await all.count(5);
    await created.count(3);
    expect(all.all.map(({ data }) => data)).toEqual([1, 2, 3, 4, 5].map((n) => ({ n })));
    expect(created.all.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 5 }]);
    expect(created.all[0]?.position).toBeDefined();
  });

  it('[I-1] get one event at a time; a slow or failing subscriber holds up only itself', async () => {
    const handled = new Inbox<unknown>();
    let working = 0;
    let most = 0;
    const slow = {
      name: 'slow',
      events: ['*'],
      async handle({ data }: PregonEvent) {
        working += 1;
        most = Math.max(most, working);
        await new Promise((resolve) => setImmediate(resolve));
        working -= 1;
        handled.push(data);
        throw new Error('handled badly');
      },
    };
    const logged = new Inbox<string>();
    const logger = { info() {}, warn() {}, debug() {}, error: (_: object, message: string) => logged.push(message) };
    const { ws, append } = await startGateway({ subscribers: [slow], logger });
    const client = await PlainClient.open(ws('/events'));
    await append(300);
    await client.events.count(300);
    await handled.count(300);
    expect(handled.all).toEqual(client.events.all.map(({ data }) => data));
    expect(most).toBe(1);
    expect(await logged.count(300)).toEqual(Array.from({ length: 300 }, () => 'a subscriber failed'));
  });
});
