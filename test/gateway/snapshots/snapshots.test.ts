import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { isEvent } from '@pregon/protocol';
import { createGateway, type Gateway } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../support/cleanup.js';
import { fold, TableApp, toItem } from '../../support/gateway/applications/table-app.js';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { openTestLog } from '../../support/gateway/gateway.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

const MIB = 1_048_576;

interface Stage {
  readonly app: TableApp;
  readonly gateway: Gateway;
  readonly ws: string;
  readonly http: string;
}

/**
 * An application, its relay to a log, and a gateway on that log that reads the snapshot from the application by URL.
 */
async function start(options: { relay?: boolean } = {}): Promise<Stage> {
  const logFile = join(temporaryFolder(), 'log.db');
  const app = await TableApp.start(await openTestLog(logFile));
  const routes = {
    items: { path: '/items', snapshot: app.url },
    local: { path: '/local', snapshot: () => app.snapshot() },
  };
  const gateway = await createGateway({ log: `sqlite:${logFile}`, routes });
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  const { port } = await gateway.listen({ port: 0 });
  if (options.relay !== false) app.relay.start();
  return { app, gateway, ws: `ws://127.0.0.1:${port}`, http: `http://127.0.0.1:${port}` };
}

function rowsOf(client: FramesClient, id: number): unknown[] {
  return client
    .controls('snapshot')
    .filter((frame) => frame.id === id)
    .flatMap(({ rows }) => rows);
}

/** The state of the client: its last snapshot and the events since. */
function held(client: FramesClient, id: number) {
  return fold(rowsOf(client, id), client.events(id));
}

describe('A snapshot', () => {
  it('[I-6] by URL or by function sends rows, then subscribed, then the events that the rows do not contain', async () => {
    const { app, ws } = await start();
    for (let id = 1; id <= 10; id++) app.change(id);
    for (const path of ['/items', '/local']) {
      const client = await FramesClient.open(ws + path);
      expect(await client.subscribe({ id: 1, snapshot: true })).toMatchObject({ op: 'subscribed', recovered: false });
      expect(held(client, 1)).toEqual(app.rows());
      app.change(3, 'delete');
      app.change(11);
      await client.frames.until(() => client.events(1).length === 2, 'two events');
      expect(held(client, 1)).toEqual(app.rows());
      const ops = client.frames.all.map((frame) => (isEvent(frame) ? 'event' : frame.op));
      expect(ops).toEqual(['welcome', 'snapshot', 'subscribed', 'event', 'event']);
    }
  });

  it('[I-6] is not sent if the given position can be served', async () => {
    const { app, ws } = await start();
    for (let id = 1; id <= 5; id++) app.change(id);
    const client = await FramesClient.open(`${ws}/items`);
    await client.subscribe({ id: 1, since: 'first', snapshot: true });
    await client.frames.until(() => client.events(1).length === 5, 'five events');
    const since = client.events(1)[1]?.position ?? '';
    expect(await client.subscribe({ id: 2, since, snapshot: true })).toMatchObject({ recovered: true });
    await client.frames.until(() => client.events(2).length === 3, 'three events');
    expect([client.controls('snapshot'), app.requests]).toEqual([[], 0]);
  });

  it('[I-6] is read once for two hundred clients that ask at the same time, and each gets the events since then', async () => {
    const { app, ws } = await start();
    for (let id = 1; id <= 50; id++) app.change(id);
    let answer = () => {};
    app.answering = new Promise((resolve) => {
      answer = resolve;
    });
    const clients = await Promise.all(Array.from({ length: 200 }, () => FramesClient.open(`${ws}/items`)));
    const asked = clients.map(async (client, i) => {
      client.send({ op: 'subscribe', id: 1, snapshot: true });
      // Some clients join the read late, so changes after its beginning must reach them as events.
      if (i === 100) app.change(51);
      await client.ask('{"op":"ping"}', 'pong');
    });
    await Promise.all(asked);
    app.change(1, 'delete');
    answer();
    for (const client of clients) {
      await client.control('subscribed');
      await client.frames.until(() => held(client, 1).get(0)?.change === 52, 'the last change');
      expect(held(client, 1)).toEqual(app.rows());
    }
    expect(app.requests).toBe(1);
  });

  it('[I-6] waits for a slow relay, and then begins exactly after its rows', async () => {
    const { app, ws } = await start({ relay: false });
    for (let id = 1; id <= 20; id++) app.change(id);
    const client = await FramesClient.open(`${ws}/items`);
    client.send({ op: 'subscribe', id: 1, snapshot: true });
    await expect.poll(() => app.requests).toBe(1);
    for (let id = 10; id <= 15; id++) app.change(id, 'delete');
    expect(client.controls('subscribed')).toEqual([]);
    app.relay.start();
    await client.control('subscribed');
    await client.frames.until(() => held(client, 1).get(0)?.change === 26, 'the last change');
    expect(held(client, 1)).toEqual(app.rows());
    expect(client.events(1).map(({ data }) => toItem(data).change)).toEqual([21, 22, 23, 24, 25, 26]);
  });

  it('[I-6] is sent to an event stream as well; its rows and the events equal the table', async () => {
    const { app, http } = await start();
    for (let id = 1; id <= 10; id++) app.change(id);
    const client = await StreamClient.open(`${http}/items?snapshot=true`);
    for (let id = 5; id <= 9; id++) app.change(id, id % 2 === 0 ? 'delete' : 'put');
    await client.events.count(5);
    const rows = client.blocks.all.filter(({ name }) => name === 'snapshot').flatMap(({ data }) => Object(data).rows);
    expect(fold(rows, client.events.all)).toEqual(app.rows());
  });
});

describe('A snapshot that the application cannot give', () => {
  it('[I-6][I-8] is a retryable error; the rest of the connection goes on, and a later subscribe works', async () => {
    const { app, ws } = await start();
    app.change(1);
    const client = await FramesClient.open(`${ws}/items`);
    await client.subscribe({ id: 1, topics: ['item.#'] });
    const troubles: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(503).end('no'),
      (response) => response.destroy(),
      (response) => response.end('not JSON'),
      (response) => response.end('{"rows":[]}'),
      (response) => response.end('{"rows":{},"sequence":1}'),
      (response) => response.end('{"rows":[],"sequence":-1}'),
    ];
    for (const trouble of troubles) {
      app.trouble = trouble;
      const answer = await client.subscribe({ id: 2, snapshot: true });
      expect(answer).toMatchObject({ op: 'error', id: 2, code: 'SNAPSHOT_UNAVAILABLE', retryable: true });
    }
    app.trouble = undefined;
    expect(await client.subscribe({ id: 2, snapshot: true })).toMatchObject({ op: 'subscribed' });
    app.change(2);
    await client.frames.until(() => client.events(2).length === 1, 'an event');
    expect(held(client, 2)).toEqual(app.rows());
    expect(client.events(1).at(-1)?.data).toEqual({ id: 2, change: 2 });
  });

  it('[I-6] is a retryable error also if no relay brings the events in time', async () => {
    const { app, ws } = await start({ relay: false });
    app.change(1);
    const client = await FramesClient.open(`${ws}/items`);
    const answer = await client.subscribe({ id: 1, snapshot: true });
    expect(answer).toMatchObject({ op: 'error', code: 'SNAPSHOT_UNAVAILABLE', retryable: true });
  });
});

describe('Clients that connect while the table changes', () => {
  it('[I-6][I-3] each equal the table at every event: no gap, nothing twice, the same at the end', async () => {
    const { app, ws } = await start();
    const clients: FramesClient[] = [];
    const joining: Promise<unknown>[] = [];
    const writes = 3_000;
    for (let change = 1; change <= writes; change++) {
      app.change(1 + ((change * 7_919) % 97), change % 4 === 0 ? 'delete' : 'put');
      if (change % 200 === 0) {
        const client = new FramesClient(`${ws}${change % 400 === 0 ? '/items' : '/local'}`);
        clients.push(client);
        joining.push(client.control('welcome').then(() => client.subscribe({ id: 1, snapshot: true })));
      }
      if (change % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(joining);
    const table = app.rows();
    for (const client of clients) {
      await client.frames.until(() => held(client, 1).get(0)?.change === writes, 'the last change');
      expect(held(client, 1)).toEqual(table);
      const begun = fold(rowsOf(client, 1), []).get(0)?.change ?? 0;
      const changes = client.events(1).map(({ data }) => toItem(data).change);
      expect(changes).toEqual(Array.from({ length: writes - begun }, (_, i) => begun + 1 + i));
    }
    expect(clients.some((client) => client.events(1).length > 0)).toBe(true);
  });
});

describe('A snapshot of 20 MB', () => {
  it('[I-7][I-6] for twenty clients that read nothing is held once, and arrives whole when they read on', async () => {
    const logFile = join(temporaryFolder(), 'log.db');
    const app = await TableApp.start(await openTestLog(logFile));
    app.fill(2_000, 10_000);
    app.relay.start();
    const routes = { items: { path: '/items', snapshot: app.url } };
    const gateway = await GatewayProcess.start({ log: `sqlite:${logFile}`, routes });
    const warm = await FramesClient.open(gateway.ws('/items'));
    await warm.subscribe({ id: 1, snapshot: true });
    expect(rowsOf(warm, 1)).toHaveLength(2_000);
    expect(warm.controls('snapshot').length).toBeGreaterThan(100);
    const before = await gateway.memory();

    const clients = await Promise.all(Array.from({ length: 20 }, () => FramesClient.open(gateway.ws('/items'))));
    let answer = () => {};
    app.answering = new Promise((resolve) => {
      answer = resolve;
    });
    for (const client of clients) {
      client.send({ op: 'subscribe', id: 1, snapshot: true });
      await client.ask('{"op":"ping"}', 'pong');
      client.socket.pause();
    }
    answer();
    await expect.poll(() => gateway.rss()).toBeGreaterThan(before);
    await warm.ask('{"op":"ping"}', 'pong');
    app.change(1);
    await warm.frames.until(() => warm.events(1).length === 1, 'an event');
    // The answer, its parsed form and the frames; one copy for each client would take 400 MB.
    expect((await gateway.memory()) - before).toBeLessThan(200 * MIB);
    for (const client of clients) {
      client.socket.resume();
      await client.control('subscribed');
      await client.frames.until(() => client.events(1).length === 1, 'an event');
      expect(held(client, 1)).toEqual(app.rows());
    }
    expect(app.requests).toBe(2);
  });
});
