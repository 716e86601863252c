import { join } from 'node:path';
import {
  type Client,
  type ClientOptions,
  type ConnectionState,
  createClient,
  type PregonEvent,
  type WebSocketEvent,
  type WebSocketLike,
} from '@pregon/client';
import type { Connection } from 'pregon';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { TableApp, toItem } from '../../support/gateway/applications/table-app.js';
import { appender, numberOf, numbers, openTestLog, startGateway } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { emptyProcessMs } from '../../support/machine.js';
import { freePort } from '../../support/ports.js';
import { eventually } from '../../support/waiting.js';

function connect(url: string, options: Partial<ClientOptions> = {}): { client: Client; states: ConnectionState[] } {
  const reconnect = { minDelayMs: 20, maxDelayMs: 200 };
  const client = createClient({ url, WebSocket, reconnect, ...options });
  afterTest(() => client.close());
  const states: ConnectionState[] = [client.state];
  client.on('state', () => states.push(client.state));
  return { client, states };
}

function untilState(client: Client, state: ConnectionState): Promise<ConnectionState> {
  return eventually(
    () => client.state,
    (seen) => seen === state,
  );
}

describe('The client, if its gateway is killed with SIGKILL and restarted on the same port', () => {
  it('[I-1][I-2][I-3] resumes every subscription where it was: nothing missing, nothing twice, in order', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const append = appender(await openTestLog(logFile));
    await append(100);
    let gateway = await GatewayProcess.start({ log: `sqlite:${logFile}` });
    const { client, states } = connect(gateway.ws('/events'));
    const received = { all: new Inbox<PregonEvent>(), even: new Inbox<PregonEvent>(), live: new Inbox<PregonEvent>() };
    const opened: boolean[] = [];
    client.subscribe({
      since: 'first',
      onEvent: (event) => received.all.push(event),
      onSubscribed: ({ recovered }) => opened.push(recovered),
    });
    const topics = Array.from({ length: 500 }, (_, i) => `n.${i * 2}`);
    client.subscribe({ topics, since: 'first', onEvent: (event) => received.even.push(event) });
    const live = client.subscribe({ onEvent: (event) => received.live.push(event) });
    await received.all.count(100);
    await untilState(client, 'online');
    for (let round = 1; round <= 3; round++) {
      const writing = append(100);
      if (round > 1) await received.all.count(received.all.all.length + 1);
      await gateway.kill();
      await untilState(client, 'waiting');
      await writing;
      gateway = await GatewayProcess.start({ log: `sqlite:${logFile}` }, { port: gateway.port });
      client.connectNow();
      await received.all.count(100 + round * 100);
      await untilState(client, 'online');
    }
    await received.live.count(300);
    await received.even.count(200);
    expect(received.all.all.map(numberOf)).toEqual(numbers(1, 400));
    expect(received.even.all.map(numberOf)).toEqual(numbers(1, 200).map((n) => n * 2));
    expect(received.live.all.map(numberOf)).toEqual(numbers(101, 400));
    expect(opened).toEqual([true, true, true, true]);
    expect(live.position).toBe(received.live.all.at(-1)?.position);
    expect(states[0]).toBe('connecting');
    for (const state of ['catching-up', 'online', 'waiting'] as const) expect(states).toContain(state);
  });

  it('[I-6] keeps a collection equal to the table, without a second snapshot', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const app = await TableApp.start(await openTestLog(logFile));
    for (let id = 1; id <= 50; id++) app.change(id);
    app.relay.start();
    const routes = { items: { path: '/items', snapshot: app.url } };
    const options = { log: `sqlite:${logFile}`, routes };
    const gateway = await GatewayProcess.start(options);
    const { client } = connect(gateway.ws('/items'));
    const changed: string[] = [];
    const items = client.collection({
      key: 'id',
      parse: toItem,
      change: ({ type, data }) => (type === 'ItemWasDeleted' ? { remove: data } : { put: data }),
    });
    items.observe({
      added: (_, key) => changed.push(`+${key}`),
      changed: (_, __, key) => changed.push(`~${key}`),
      removed: (_, key) => changed.push(`-${key}`),
    });
    await items.ready;
    const held = () => new Map([...items].filter(([key]) => key !== 0));
    const table = () => {
      const rows = app.rows();
      rows.delete(0);
      return rows;
    };
    expect(held()).toEqual(table());
    changed.length = 0;
    await gateway.kill();
    expect(
      await eventually(
        () => items.state,
        (state) => state === 'stale',
      ),
    ).toBe('stale');
    app.change(51);
    app.change(7);
    app.change(8, 'delete');
    await GatewayProcess.start(options, { port: gateway.port });
    client.connectNow();
    await eventually(
      () => changed.length,
      (count) => count === 3,
    );
    expect(changed).toEqual(['+51', '~7', '-8']);
    expect(held()).toEqual(table());
    await eventually(
      () => items.state,
      (state) => state === 'live',
    );
    expect(app.requests).toBe(1);
  });
});

describe('The client, after a short outage', () => {
  it('[fault G6] is live again within 2 s after the gateway is back, without any help', async () => {
    const options = { log: `sqlite:${join(temporaryFolder(), 'log.db')}` };
    let gateway = await GatewayProcess.start(options);
    const { client } = connect(gateway.ws('/events'), { reconnect: {} });
    client.subscribe({ onEvent: () => {} });
    await untilState(client, 'online');
    const waits: { since: number; delayMs: number }[] = [];
    client.on('state', () => {
      if (client.state !== 'waiting') return;
      waits.push({ since: performance.now(), delayMs: (client.retryAt ?? Number.NaN) - Date.now() });
    });
    await gateway.kill();
    // The fourth delay would be up to 5 s if only the number of attempts counted.
    await eventually(
      () => waits.length,
      (count) => count === 4,
    );
    gateway = await GatewayProcess.start(options, { port: gateway.port });
    const back = performance.now();
    await untilState(client, 'online');
    // The delay that the client itself chooses does not depend on the machine. On a busy machine, four attempts can
    // take longer than the 10 s of a short outage.
    const [first] = waits;
    const ofShortOutage = waits.filter(({ since }) => since - (first?.since ?? 0) < 9_000);
    expect(Math.max(...ofShortOutage.map(({ delayMs }) => delayMs))).toBeLessThan(2_000);
    expect(performance.now() - back).toBeLessThan(Math.max(2_000, 40 * emptyProcessMs()));
  });
});

describe('The client, connected to a gateway', () => {
  it('sends messages and gets the answers, the failures and the timeouts', async () => {
    const messages = {
      double: (_: Connection, data: unknown) => Number(data) * 2,
      never: () => new Promise(() => {}),
      fail: () => Promise.reject(new Error('inside')),
      shout: (connection: Connection, data: unknown) => void connection.send(data, { name: 'shouted' }),
    };
    const { ws } = await startGateway({ routes: { events: { path: '/events', handlers: [{ messages }] } } });
    const { client } = connect(ws('/events'));
    await expect(client.send('double', 1)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await untilState(client, 'online');
    expect(await client.send('double', 21)).toBe(42);
    await expect(client.send('fail')).rejects.toMatchObject({ code: 'HANDLER_FAILED' });
    await expect(client.send('nobody')).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
    await expect(client.send('never', 1, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
    });
    const heard = new Inbox<unknown>();
    client.onMessage('shouted', (data) => heard.push(data));
    expect(client.notify('shout', { loud: true })).toBe(true);
    expect(await heard.count(1)).toEqual([{ loud: true }]);
  });

  it('is told that a pending send is lost when the gateway closes', async () => {
    const messages = { never: () => new Promise(() => {}) };
    const { ws, gateway } = await startGateway({ routes: { events: { path: '/events', handlers: [{ messages }] } } });
    const { client } = connect(ws('/events'));
    await untilState(client, 'online');
    const sent = client.send('never');
    const begun = performance.now();
    const closing = gateway.close({ spreadMs: 0, timeoutMs: 50_000 });
    await expect(sent).rejects.toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
    await closing;
    // Messages that the client sent while the gateway closed do not delay the reading of its close frame.
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  it('reconnects after draining at the moment that the gateway named, and resumes', async () => {
    const first = await startGateway();
    const { client, states } = connect(first.ws('/events'), { reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000 } });
    const events = new Inbox<PregonEvent>();
    client.subscribe({ onEvent: (event) => events.push(event) });
    await untilState(client, 'online');
    await first.append(1);
    await events.count(1);
    // Read in the same turn: if the gateway names 0 ms, the client reconnects at once, is refused, and then waits for
    // its own delay.
    const delaysMs: number[] = [];
    client.on('state', ({ state, retryAt = Number.NaN }) => state === 'waiting' && delaysMs.push(retryAt - Date.now()));
    const closing = first.gateway.close({ spreadMs: 3_000 });
    await eventually(
      () => delaysMs.length,
      (count) => count > 0,
    );
    expect(delaysMs[0]).toBeLessThanOrEqual(3_000);
    await closing;
    await first.append(5);
    const second = await startGateway({ logFile: first.logFile, listen: { port: first.port } });
    client.connectNow();
    expect((await events.count(6)).map(numberOf)).toEqual(numbers(1, 6));
    await untilState(client, 'online');
    expect(second.gateway.connections('events').count).toBe(1);
    expect(states).not.toContain('closed');
  });

  it('[I-4] starts anew if the log was replaced in between: a reset, a fresh snapshot and no earlier event', async () => {
    const rows = [{ id: 1 }];
    const snapshot = () => ({ rows, sequence: 0 });
    const routes = { events: { path: '/events', snapshot } };
    const before = await startGateway({ routes });
    const { client } = connect(before.ws('/events'));
    const told: unknown[] = [];
    client.subscribe({
      since: 'first',
      snapshot: true,
      onEvent: ({ type }) => told.push(type),
      onReset: (reason) => told.push(reason),
      onSnapshot: (given) => told.push(given),
    });
    await untilState(client, 'online');
    await before.append(2);
    await eventually(
      () => told.length,
      (count) => count === 2,
    );
    await before.gateway.close({ spreadMs: 0 });
    const after = await startGateway({ routes, listen: { port: before.port } });
    client.connectNow();
    await untilState(client, 'online');
    await after.append(1, { type: 'Later' });
    await eventually(
      () => told.length,
      (count) => count === 5,
    );
    expect(told).toEqual(['WasNumbered', 'WasNumbered', 'replaced', rows, 'Later']);
  });

  it('[fault G2] reports a refusal, by close code or by handshake answer, together with the remedy', async () => {
    const opened = (connection: Connection) => connection.close({ code: 4599, reason: 'go away', reconnect: false });
    const { ws, gateway } = await startGateway({
      allowedOrigins: ['https://shop.example'],
      routes: { events: { path: '/events' }, strict: { path: '/strict', handlers: [{ opened }] } },
    });
    const Foreign = class extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { origin: 'https://evil.example' });
      }
    };
    const refused: [string, Partial<ClientOptions>, string, RegExp][] = [
      [ws('/strict'), {}, 'FORBIDDEN', /go away \(4599\)/],
      [ws('/nowhere'), {}, 'ROUTE_UNKNOWN', /\/nowhere refused the connection \(404\)/],
      [ws('/events'), { WebSocket: Foreign }, 'FORBIDDEN', /\(403\).*allowedOrigins/],
      // This WebSocket tells no status, like that of a browser, so the client asks over HTTP.
      [ws('/nowhere'), { fetch, WebSocket: Silent }, 'ROUTE_UNKNOWN', /\(404: no route has the path \/nowhere\)/],
    ];
    for (const [url, options, code, message] of refused) {
      const { client } = connect(url, options);
      const errors = new Inbox<unknown>();
      client.on('error', (error) => errors.push(error));
      await untilState(client, 'refused');
      expect(client.lastError).toMatchObject({ code, retryable: false, message: expect.stringMatching(message) });
      expect(errors.all).toEqual([client.lastError]);
    }
    expect(gateway.connections('events').count).toBe(0);
  });

  it('[fault G2] retries and says so if nothing answers', async () => {
    const port = await freePort();
    for (const options of [{}, { fetch, WebSocket: Silent }]) {
      const { client, states } = connect(`http://127.0.0.1:${port}/events`, options);
      await eventually(
        () => states.filter((state) => state === 'waiting').length,
        (count) => count >= 3,
      );
      expect(client.lastError).toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
      expect(client.lastError?.message).toMatch(/cannot be reached: is the gateway running there\?/);
    }
  });
});

/** A WebSocket that tells as little about its errors as that of a browser. */
class Silent implements WebSocketLike {
  readonly #socket: WebSocket;

  constructor(url: string, protocol: string) {
    this.#socket = new WebSocket(url, protocol);
  }

  send(data: string): void {
    this.#socket.send(data);
  }

  close(code?: number): void {
    this.#socket.close(code);
  }

  addEventListener(type: 'message' | 'close' | 'error', listener: (event: WebSocketEvent) => void): void {
    this.#socket.addEventListener(type, (event: WebSocketEvent) => listener(type === 'error' ? { type } : event));
  }
}
