import { openLog } from 'pregon';
import { describe, expect, it } from 'vitest';
import { PlainClient } from '../support/gateway/plain-client.js';
import { SocketIoClient, type SocketIoClientOptions, type Transports } from '../support/gateway/socketio-client.js';
import { describeInBrowser } from '../support/pages/browser.js';
import { Example, lookAt, problemsOf } from '../support/pages/example.js';
import { eventually } from '../support/waiting.js';

/** Long enough that the auction does not end during a test. */
const OPEN_END = '600';

function start(seconds = OPEN_END): Promise<Example> {
  return Example.start('auction', { env: { SECONDS: seconds, POLL_MS: '100' } });
}

/** Subscribes to all bids of the auction. */
async function follow(example: Example, transports: Transports, more?: SocketIoClientOptions): Promise<SocketIoClient> {
  const auth = { since: 'first', names: 'type' };
  const options = { transports: [...transports], auth, ...more };
  const client = await SocketIoClient.open(`${example.url}/auction`, options);
  await client.count('subscribed', 1);
  return client;
}

function amounts(client: SocketIoClient): unknown[] {
  return client.of('BidWasPlaced').map(([event]) => Reflect.get(bidOf(event), 'amount'));
}

function bidOf(event: unknown): object {
  return Object(Reflect.get(Object(event), 'data'));
}

async function bid(client: SocketIoClient, amount: number): Promise<void> {
  expect(await client.ask('bid', { bidder: 'Ada', amount })).toMatchObject({ accepted: { amount } });
}

interface Cost {
  readonly requests: number;
  readonly bytes: number;
}

async function traffic(example: Example, viewer: string): Promise<Record<string, Cost>> {
  return (await fetch(`${example.url}/api/traffic?viewer=${viewer}`)).json();
}

describe('The auction example with stock clients', () => {
  it('[001-02] sends a higher bid to all clients at once, and refuses a lower one without telling other clients', async () => {
    const example = await start();
    const ways: Transports[] = [['websocket'], ['polling'], ['polling', 'websocket']];
    const clients = await Promise.all(Array.from({ length: 12 }, (_, i) => follow(example, ways[i % 3] ?? [])));
    const delays: number[] = [];
    for (const client of clients) {
      client.socket.on('BidWasPlaced', (event) => delays.push(Date.now() - Number(Reflect.get(bidOf(event), 'at'))));
    }
    const [first] = clients;
    if (!first) throw new Error('there is no client');
    await bid(first, 100);
    expect(await first.ask('bid', { bidder: 'Eve', amount: 100 })).toEqual({ refused: 'The highest bid is 100.' });
    for (const nonsense of [
      null,
      7,
      {},
      { bidder: 'Eve' },
      { bidder: '', amount: 200 },
      { bidder: 'Eve', amount: '200' },
    ]) {
      expect(await first.ask('bid', nonsense)).toHaveProperty('refused');
    }
    await bid(first, 120);
    for (const client of clients) await client.count('BidWasPlaced', 2);
    for (const client of clients) expect(amounts(client)).toEqual([100, 120]);
    expect(delays).toHaveLength(24);
    expect(Math.max(...delays)).toBeLessThan(10_000);
    expect(
      amounts(await follow(example, ['websocket']).then((late) => late.count('BidWasPlaced', 2).then(() => late))),
    ).toEqual([100, 120]);
  });

  it('[001-02] accepts only higher bids if many clients bid at once, in one order for all', async () => {
    const example = await start();
    const clients = await Promise.all(Array.from({ length: 6 }, () => follow(example, ['websocket'])));
    const answers = await Promise.all(
      clients.flatMap((client, i) =>
        [1, 2, 3].map((round) => client.ask('bid', { bidder: `Bidder ${i}`, amount: round * 10 + ((i * 5) % 6) })),
      ),
    );
    const accepted = answers.filter((answer) => Reflect.has(Object(answer), 'accepted')).length;
    for (const client of clients) await client.count('BidWasPlaced', accepted);
    const [seen = []] = clients.map(amounts);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => Number(a) - Number(b)));
    for (const client of clients) expect(amounts(client)).toEqual(seen);
  });

  it('[001-04] closes all sockets when the item is sold: nothing more is sent, and no client reconnects', async () => {
    const example = await start('3');
    const query = (way: string) => ({ query: { viewer: 'all', way } });
    const clients = [
      await follow(example, ['websocket'], query('websocket')),
      await follow(example, ['polling'], query('long-polling')),
    ];
    const plain = await PlainClient.open(`ws://127.0.0.1:${example.port}/auction`);
    const ends = clients.map(({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)));
    const attempts: number[] = [];
    for (const { socket } of clients) socket.io.on('reconnect_attempt', (attempt) => attempts.push(attempt));
    for (const client of clients) await bid(client, client.socket.io.engine.transport.name === 'polling' ? 20 : 10);
    expect(await Promise.all(ends)).toEqual(['io server disconnect', 'io server disconnect']);
    expect(await plain.whenClosed()).toEqual({ code: 4900, reason: 'sold to Ada for 20' });
    for (const client of clients) {
      // As the library documents it, the client does not reconnect by itself.
      expect([client.socket.active, client.socket.connected]).toEqual([false, false]);
      expect(client.of('closing')).toEqual([[{ code: 4900, reconnect: false, reason: 'sold to Ada for 20' }]]);
      await eventually(
        () => client.socket.io.engine.readyState,
        (state) => String(state) === 'closed',
      );
    }
    await soldInLog(example);
    await comesTooLate(example);
    const heard = clients.map(({ received }) => received.all.length);
    const costs = await traffic(example, 'all');
    await comesTooLate(example);
    expect(await traffic(example, 'all')).toEqual(costs);
    expect(clients.map(({ received }) => received.all.length)).toEqual(heard);
    expect(attempts).toEqual([]);
  });

  it('[001-05][001-06][001-07] counts requests and bytes for each bid by polling, long polling and WebSocket', async () => {
    const example = await start();
    const query = (way: string) => ({ query: { viewer: 'me', way } });
    const webSocket = await follow(example, ['websocket'], query('websocket'));
    const longPolling = await follow(example, ['polling'], query('long-polling'));
    const url = `${example.url}/api/auction?viewer=me&way=polling`;
    const BIDS = 20;
    for (let n = 1; n <= BIDS; n += 1) {
      await bid(webSocket, n);
      await longPolling.count('BidWasPlaced', n);
      // Three of four polls return nothing new.
      for (let i = 0; i < 4; i += 1) await (await fetch(url)).json();
    }
    const { polling, 'long-polling': long, websocket } = await traffic(example, 'me');
    if (!polling || !long || !websocket) throw new Error('the traffic of a transport is missing');
    expect(websocket.requests).toBe(1);
    expect(polling.requests).toBe(4 * BIDS);
    expect(long.requests).toBeGreaterThanOrEqual(BIDS);
    expect(long.requests).toBeLessThan(polling.requests);
    // The bytes of the WebSocket include the bids that were made through it, and their answers.
    expect(websocket.bytes).toBeLessThan(long.bytes);
    expect(long.bytes).toBeLessThan(polling.bytes);
  });
});

/** A client that connects after the sale is refused with the reason, and does not reconnect either. */
async function comesTooLate(example: Example): Promise<void> {
  const late = await SocketIoClient.open(`${example.url}/auction`);
  await eventually(
    () => late.socket.active,
    (active) => !active,
  );
  expect(late.of('closing')).toEqual([[{ code: 4900, reconnect: false, reason: 'sold to Ada for 20' }]]);
  expect(late.of('BidWasPlaced')).toEqual([]);
}

/** Waits until the log has the last event of the auction. */
async function soldInLog(example: Example): Promise<void> {
  const log = await openLog(`sqlite:${example.folder}/data/log.db`);
  try {
    await eventually(
      async () => (await log.read({ after: (await log.floor()).offset })).entries.at(-1)?.type,
      (type) => type === 'AuctionWasEnded',
    );
  } finally {
    await log.close();
  }
}

describeInBrowser('The page of the auction example in a real browser', (openPage) => {
  it('[001-03][001-04][001-05][001-06][001-07] shows three transports side by side, and goes quiet when the item is sold', async () => {
    const page = await openPage();
    const problems = problemsOf(page);
    const example = await start('4');
    let lastRequest = 0;
    page.on('request', () => {
      lastRequest = performance.now();
    });
    await page.goto(example.url);
    await page.locator('#state[data-state=online]').waitFor();
    const other = await follow(example, ['websocket']);
    const cell = async (way: string, name: string) =>
      (await page.textContent(`tr[data-way="${way}"] [data-cell="${name}"]`)) ?? '';
    await page.fill('#bidder', 'Ada');
    for (const amount of [10, 20, 30, 40]) {
      await page.fill('#amount', String(amount));
      await page.click('#bid button');
      await other.count('BidWasPlaced', amount / 10);
    }
    await page.fill('#amount', '35');
    await page.keyboard.press('Enter');
    await eventually(
      () => page.textContent('#refused'),
      (text) => text === 'The highest bid is 40.',
    );
    for (const way of ['polling', 'long-polling', 'websocket']) {
      await eventually(
        () => cell(way, 'highest'),
        (text) => text === '40',
      );
    }
    expect([await cell('long-polling', 'seen'), await cell('websocket', 'seen')]).toEqual(['4 of 4', '4 of 4']);
    // Checked before the sale: when Socket.IO's client ends during long polling, its last request may be answered with
    // 400.
    expect(problems).toEqual([]);
    await page.locator('#state[data-state=sold]').waitFor();
    expect(await page.textContent('#state')).toBe('Closed: sold to Ada for 40');
    const settled = await eventually(
      async () => [await cell('polling', 'requests'), await cell('websocket', 'requests')].map(Number),
      ([polling = 0]) => polling > 0,
    );
    const [polls = 0, sockets] = settled;
    expect(sockets).toBe(1);
    expect(Number(await cell('long-polling', 'requests'))).toBeGreaterThan(4);
    expect(Number(await cell('websocket', 'bytes'))).toBeLessThan(Number(await cell('long-polling', 'bytes')));
    expect(polls).toBeGreaterThan(4);
    // Before the sale, the page polled ten times a second and updated its counts every second.
    await eventually(
      () => performance.now() - lastRequest,
      (silence) => silence > 2_000,
    );
  });

  it('has the right layout on a desktop and on a phone', async () => {
    const example = await start();
    const client = await follow(example, ['websocket']);
    await bid(client, 120);
    await lookAt('example-auction', openPage, async (page) => {
      await page.goto(example.url);
      await page.locator('tr[data-way=websocket] [data-cell=each]:text-matches("[0-9]+")').waitFor();
    });
  });
});
