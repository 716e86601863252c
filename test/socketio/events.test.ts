import { describe, expect, it } from 'vitest';
import { numbers, startGateway } from '../support/gateway/gateway.js';
import { SocketIoClient, toEvent, WAYS } from '../support/gateway/socketio-client.js';

describe.each(WAYS)('A stock client by %s', (_, transports) => {
  it('[000-10][001-01] gets each event under its type and as "event", once, in order, with its position', async () => {
    const { http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), { transports: [...transports] });
    await client.count('subscribed', 1);
    await append(200, { type: 'UserWasCreated' });
    await client.count('event', 200);
    expect(client.numbers()).toEqual(numbers(1, 200));
    expect(client.numbers('UserWasCreated')).toEqual(numbers(1, 200));
    for (const [event, position] of client.of('event')) expect(position).toBe(toEvent(event).position);
  });

  it('[I-1][I-2][I-3] gets bursts whole that do not fit into one buffer', async () => {
    const { http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), {
      transports: [...transports],
      auth: { names: 'event' },
    });
    await client.count('subscribed', 1);
    await append(3_000, { padding: 1_000 });
    await client.count('event', 3_000);
    expect(client.numbers()).toEqual(numbers(1, 3_000));
  });
});

describe('The handshake of a stock client', () => {
  it('can choose by names whether events come under their type alone, or as "event" alone', async () => {
    const { http, append } = await startGateway();
    const byType = await SocketIoClient.open(http('/events'), { auth: { names: 'type' } });
    const asEvent = await SocketIoClient.open(http('/events'), { query: { names: 'event' } });
    for (const client of [byType, asEvent]) await client.count('subscribed', 1);
    await append(3, { type: 'BidWasPlaced' });
    await byType.count('BidWasPlaced', 3);
    await asEvent.count('event', 3);
    expect([byType.of('event').length, asEvent.of('BidWasPlaced').length]).toEqual([0, 0]);
  });

  it('takes topics and since, in auth or in the query', async () => {
    const { http, append } = await startGateway();
    const [first] = await append(10, { topic: (n) => (n % 2 === 0 ? `even.${n}` : `odd.${n}`) });
    expect(first).toBeDefined();
    const byAuth = await SocketIoClient.open(http('/events'), { auth: { topics: ['even.*'], since: 'first' } });
    const byQuery = await SocketIoClient.open(http('/events'), { query: { topics: 'even.*,odd.7', since: 'first' } });
    await byAuth.count('event', 5);
    await byQuery.count('event', 6);
    expect(byAuth.numbers()).toEqual([2, 4, 6, 8, 10]);
    expect(byQuery.numbers()).toEqual([2, 4, 6, 7, 8, 10]);
  });

  it('takes a snapshot: first its rows, then its position, then the events', async () => {
    const rows = [{ id: 1 }, { id: 2 }];
    const snapshot = () => ({ rows, sequence: 0 });
    const { http, append } = await startGateway({ routes: { items: { path: '/items', snapshot } } });
    const client = await SocketIoClient.open(http('/items'), { auth: { snapshot: true, names: 'event' } });
    await client.count('subscribed', 1);
    await append(1);
    await client.count('event', 1);
    expect(client.received.all.map(({ name }) => name)).toEqual(['snapshot', 'subscribed', 'event']);
    expect(client.of('snapshot')).toEqual([[{ id: 0, rows, more: false }]]);
  });

  it.each([
    [{ topics: ['a..b'] }, 'TOPIC_INVALID'],
    [{ names: 'all' }, 'FRAME_INVALID'],
    [{ topics: 7 }, 'FRAME_INVALID'],
  ])('[I-9] with %j is refused with a connect_error that gives the reason', async (auth, code) => {
    const { http } = await startGateway();
    const client = new SocketIoClient(http('/events'), { auth, reconnection: false });
    const error = await new Promise<Error>((resolve) => client.socket.once('connect_error', resolve));
    expect(error).toMatchObject({ data: { code, retryable: false } });
  });

  it('[I-9] is refused and the namespace ends if since is not a position, or if the route has no snapshot', async () => {
    const { http } = await startGateway();
    for (const [auth, code] of [
      [{ since: 'yesterday' }, 'POSITION_INVALID'],
      [{ snapshot: true }, 'SNAPSHOT_NOT_OFFERED'],
    ] as const) {
      const client = await SocketIoClient.open(http('/events'), { auth, reconnection: false });
      const [[refused] = []] = await client.count('refused', 1);
      expect(refused).toMatchObject({ code });
      await client.received.until(() => client.of('closing').length === 1, 'closing');
    }
  });
});

describe('A stock client that subscribes later', () => {
  it('gets the events from then on, or since a position, and is told where it begins', async () => {
    const { http, append } = await startGateway();
    const before = await append(4, { topic: (n) => `user.${n}` });
    const client = await SocketIoClient.open(http('/events'), { auth: { topics: [], names: 'event' } });
    expect(await client.ask('subscribe', 'auction.#')).toMatchObject({
      id: 1,
      recovered: false,
      position: expect.any(String),
    });
    expect(await client.ask('subscribe', { topics: ['user.#'], since: 'first' })).toMatchObject({
      id: 2,
      recovered: true,
    });
    await append(2, { topic: (n) => `auction.${n}` });
    await client.count('event', 6);
    expect(client.numbers().sort()).toEqual(numbers(1, 6));
    expect(await client.ask('unsubscribe', { id: 1 })).toEqual({ id: 1 });
    await append(2, { topic: (n) => (n === 7 ? `auction.${n}` : `user.${n}`) });
    await client.count('event', 7);
    expect(client.numbers().slice(6)).toEqual([8]);
    expect(before).toHaveLength(4);
  });

  it('[I-3] is refused topics that it already has, so that no event comes twice', async () => {
    const { http, append } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), { auth: { topics: ['user.#'], names: 'event' } });
    expect(await client.ask('subscribe', '*.7')).toMatchObject({ error: { code: 'TOPICS_OVERLAP', retryable: false } });
    expect(await client.ask('subscribe', 'auction.#')).toMatchObject({ id: 2 });
    expect(await client.ask('subscribe', 'auction.7')).toMatchObject({ error: { code: 'TOPICS_OVERLAP' } });
    await append(1, { topic: () => 'user.7' });
    await append(1, { topic: () => 'auction.7', exchange: 'other' });
    await client.count('event', 2);
    expect(client.of('event')).toHaveLength(2);
  });

  it('is told what is wrong with a request', async () => {
    const { http } = await startGateway();
    const client = await SocketIoClient.open(http('/events'), { auth: { topics: [] } });
    expect(await client.ask('subscribe', { topics: ['a..b'] })).toMatchObject({ error: { code: 'TOPIC_INVALID' } });
    expect(await client.ask('subscribe', { no: 'topics' })).toMatchObject({ error: { code: 'FRAME_INVALID' } });
    expect(await client.ask('unsubscribe', 7)).toMatchObject({ error: { code: 'SUBSCRIPTION_UNKNOWN' } });
    expect(await client.ask('unsubscribe', { id: '7' })).toMatchObject({ error: { code: 'FRAME_INVALID' } });
  });
});

describe('A message that a stock client emits', () => {
  it('[000-09][003-20] reaches the handlers of the route, whose result is the acknowledgement', async () => {
    const { http } = await startGateway({
      routes: {
        events: {
          path: '/events',
          handlers: [
            {
              messages: {
                bid: (connection, data) => ({ of: connection.transport, data }),
                fails: () => {
                  throw new Error('not for the client to know');
                },
              },
            },
          ],
        },
      },
    });
    const client = await SocketIoClient.open(http('/events'));
    expect(await client.ask('bid', { amount: 7 })).toEqual({ of: 'socket.io', data: { amount: 7 } });
    expect(await client.ask('fails')).toMatchObject({ error: { code: 'HANDLER_FAILED' } });
  });

  it('[000-12] has its counterpart in broadcasts of a route, which reach stock clients', async () => {
    const { http, gateway } = await startGateway();
    const client = await SocketIoClient.open(http('/events'));
    const connections = gateway.connections('events');
    expect(connections.broadcast({ hello: 1 }, { name: 'greeting' })).toBe(1);
    connections.broadcast('a text', { name: 'greeting' });
    connections.broadcast(Buffer.from([1, 2, 3]), { name: 'greeting' });
    await client.count('greeting', 3);
    expect(client.of('greeting')[0]).toEqual([{ hello: 1 }]);
    expect(client.of('greeting')[1]?.[0]).toBe('a text');
    expect(client.of('greeting')[2]?.[0]).toEqual(Buffer.from([1, 2, 3]));
  });
});
