import { once } from 'node:events';
import { createServer, get, type IncomingMessage, request, type Server } from 'node:http';
import { createGateway, positionsOf } from 'pregon';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { untilAtHead } from '../../support/gateway/frames-client.js';
import { numbers, startGateway, type TestGateway } from '../../support/gateway/gateway.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { eventually } from '../../support/waiting.js';

/** The names that stock clients and configured applications use. */
const LAST_EVENT_ID_NAMES = [
  'lastEventId',
  'lastEventID',
  'lasteventid',
  'LASTEVENTID',
  'Last-Event-ID',
  'last-event-id',
  'Last-Event-Id',
  'last_event_id',
  'LAST_EVENT_ID',
  'evs_last_event_id',
];

describe('An event stream', () => {
  it('delivers events with their position as id, and says where it begins', async () => {
    const gateway = await startGateway();
    const { http, append, log } = gateway;
    await append(2);
    await untilAtHead(gateway);
    const client = await StreamClient.open(http('/events'));
    const head = (await positionsOf(log)).encode(await log.head());
    expect(client.blocks.all[0]).toEqual({
      name: 'subscribed',
      data: { op: 'subscribed', id: 0, position: head, recovered: false },
      lastEventId: head,
    });
    await append(2);
    expect(await client.numbers(2)).toEqual([3, 4]);
  });

  it('takes since, topics and snapshot as a plain WebSocket does', async () => {
    const snapshot = () => ({ rows: [{ id: 1 }, { id: 2 }], sequence: 0 });
    const { http, append } = await startGateway({ routes: { events: { path: '/events', snapshot } } });
    await append(10);
    const all = await StreamClient.open(http('/events?since=first'));
    expect(await all.numbers(10)).toEqual(numbers(1, 10));
    const since = all.events.all[5]?.position;
    const some = await StreamClient.open(http(`/events?since=${since}&topics=n.7,n.9&topics=n.10`));
    expect(await some.numbers(3)).toEqual([7, 9, 10]);
    expect(some.blocks.all[0]?.data).toMatchObject({ position: since, recovered: true });
    const withRows = await StreamClient.open(http('/events?snapshot=true'));
    expect(withRows.blocks.all.map(({ name }) => name)).toEqual(['snapshot', 'subscribed']);
    expect(withRows.blocks.all[0]?.data).toEqual({ rows: [{ id: 1 }, { id: 2 }], more: false });
  });

  it('[I-2][I-3] resumes by Last-Event-ID after the gateway restarted on the same port', async () => {
    const first = await startGateway();
    const client = await StreamClient.open(first.http('/events'));
    const fresh = await StreamClient.open(first.http('/events'));
    await first.append(3);
    await client.events.count(3);
    await first.gateway.close({ spreadMs: 50 });
    expect(client.blocks.all.at(-1)).toMatchObject({ name: 'closing', data: { code: 4000, reconnect: true } });
    await first.append(500);
    const second = await createGateway({ log: `sqlite:${first.logFile}`, routes: { events: { path: '/events' } } });
    afterTest(() => second.close());
    await second.listen({ port: first.port });
    await first.append(1);
    expect(await client.numbers(504)).toEqual(numbers(1, 504));
    expect(await fresh.numbers(504)).toEqual(numbers(1, 504));
    const recovered = client.blocks.all.filter(({ name }) => name === 'subscribed').map(({ data }) => data);
    expect(recovered).toEqual([expect.anything(), expect.objectContaining({ recovered: true })]);
  });

  it('prefers Last-Event-ID to since, and ignores an empty one', async () => {
    const { http, append } = await startGateway();
    await append(5);
    const all = await StreamClient.open(http('/events?since=first'));
    await all.events.count(5);
    const position = all.events.all[3]?.position ?? '';
    const resumed = await StreamClient.open(http('/events?since=first'), { 'Last-Event-ID': position });
    expect(await resumed.numbers(1)).toEqual([5]);
    const empty = await StreamClient.open(http('/events?since=first'), { 'Last-Event-ID': '' });
    expect(await empty.numbers(5)).toEqual(numbers(1, 5));
  });

  it('[fault C6] resumes by the last event id in the query, under each name that clients use, and prefers it to since', async () => {
    const { http, append } = await startGateway();
    await append(5);
    const all = await StreamClient.open(http('/events?since=first'));
    await all.events.count(5);
    const [, second, , fourth] = all.events.all.map(({ position }) => position ?? '');
    for (const name of LAST_EVENT_ID_NAMES) {
      const resumed = await StreamClient.open(http(`/events?${name}=${second}&since=first`));
      expect([name, await resumed.numbers(3)]).toEqual([name, [3, 4, 5]]);
      expect(resumed.blocks.all[0]?.data).toMatchObject({ op: 'subscribed', position: second, recovered: true });
    }
    // A client that appends to the URL it was given, and one that reconnects by itself with the header.
    const url = http(`/events?lastEventId=${second}&since=first`);
    const appended = await StreamClient.open(`${url}&Last-Event-ID=${fourth}&lastEventId=`);
    expect(await appended.numbers(1)).toEqual([5]);
    const byHeader = await StreamClient.open(url, { 'Last-Event-ID': fourth ?? '' });
    expect(await byHeader.numbers(1)).toEqual([5]);
  });

  it('[fault C6] gets reset if the last id is not a position, and continues after the snapshot', async () => {
    const snapshot = () => ({ rows: [{ id: 1 }], sequence: 0 });
    const { http } = await startGateway({ routes: { events: { path: '/events', snapshot } } });
    const names = (client: StreamClient) => client.blocks.all.map(({ name }) => name);
    for (const id of ['garbage', '42', 'FIRST', '%00', '0190f3c2-7b1e', 'x'.repeat(2_000)]) {
      const byQuery = await StreamClient.open(http(`/events?lastEventId=${id}&since=first&snapshot=true`));
      expect([id, names(byQuery)]).toEqual([id, ['reset', 'snapshot', 'subscribed']]);
      expect(byQuery.blocks.all[0]?.data).toMatchObject({ reason: 'replaced' });
      const byHeader = await StreamClient.open(http('/events?since=first'), { 'Last-Event-ID': id });
      expect([id, names(byHeader)]).toEqual([id, ['reset', 'subscribed']]);
    }
  });

  it('[fault C6] is answered with 204 if the client was told not to come back, by header or by query', async () => {
    const { http } = await startGateway();
    const headers = { Accept: 'text/event-stream' };
    expect((await ask(http('/events?lastEventId=!4504'), headers)).status).toBe(204);
    expect((await ask(http('/events'), { ...headers, 'Last-Event-ID': '!4504' })).status).toBe(204);
  });

  it('moves Last-Event-ID forward by a bare id if nothing matched, and sends a keep-alive comment', async () => {
    const { http, append, log, port } = await startGateway({ heartbeatMs: 100 });
    const raw = await RawSocket.open(port);
    raw.request('/events?topics=nothing', { Accept: 'text/event-stream' });
    await raw.head();
    await append(3);
    await raw.untilText(`\r\nid: ${(await positionsOf(log)).encode(await log.head())}\n\n\r\n`);
    await raw.untilText('\n:\n\n');
    const resumed = await StreamClient.open(http('/events'), {
      'Last-Event-ID': (await positionsOf(log)).encode(await log.head()),
    });
    expect(resumed.blocks.all[0]?.data).toMatchObject({ recovered: true });
  });

  it('carries messages of handlers as ephemeral', async () => {
    const { http, gateway } = await startGateway();
    const client = await StreamClient.open(http('/events'));
    gateway.connections('events').broadcast({ typing: true }, { name: 'typing' });
    gateway.connections('events').broadcast('two\nlines\r\n\nand more');
    gateway.connections('events').broadcast(Buffer.from([1, 2, 3]));
    await client.blocks.count(4);
    expect(client.blocks.all.slice(1).map(({ name, data }) => ({ name, data }))).toEqual([
      { name: 'ephemeral', data: { name: 'typing', data: { typing: true } } },
      { name: 'ephemeral', data: { name: 'message', data: 'two\nlines\r\n\nand more' } },
      { name: 'ephemeral', data: { name: 'message', data: 'AQID' } },
    ]);
  });

  it('[I-8] gets refused and ends if its snapshot is not available, so that the browser asks for it again', async () => {
    let answers = 0;
    const snapshot = () => {
      if (answers++ === 0) throw new Error('the table is gone');
      return { rows: [1], sequence: 0 };
    };
    const { http } = await startGateway({ routes: { events: { path: '/events', snapshot } } });
    const client = new StreamClient(http('/events?snapshot=true'));
    await client.block('subscribed');
    expect(client.blocks.all.map(({ name }) => name)).toEqual(['refused', 'closing', 'snapshot', 'subscribed']);
    expect(client.blocks.all[0]?.data).toMatchObject({ code: 'SNAPSHOT_UNAVAILABLE', retryable: true });
    expect(client.blocks.all[1]?.data).toMatchObject({ code: 4003, reconnect: true });
  });

  it('is listed among the connections of its route, with the transport sse, until it closes', async () => {
    const { http, gateway } = await startGateway();
    const client = await StreamClient.open(http('/events'));
    expect([...gateway.connections('events')].map(({ transport }) => transport)).toEqual(['sse']);
    client.source.close();
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 0,
    );
  });
});

describe('An event stream with an invalid request', () => {
  it('[I-4] is answered with 400 if since, topics or snapshot is wrong', async () => {
    const { http } = await startGateway();
    for (const query of ['since=garbage', 'since=', 'topics=a..b', 'topics=', 'snapshot=true']) {
      const { status, body } = await ask(http(`/events?${query}`), { Accept: 'text/event-stream' });
      expect({ query, status }).toEqual({ query, status: 400 });
      expect(JSON.parse(body)).toMatchObject({ status: 400, title: expect.any(String) });
    }
  });

  it('[I-8] is refused if its topics are too costly, on a server that accepts long URLs; other streams continue', async () => {
    const { gateway, http, append } = await startGateway();
    const server = createServer({ maxHeaderSize: 65_536 });
    gateway.attach(server);
    const { url } = await listenOn(server);
    const patterns = Array.from({ length: 1_000 }, (_, n) => `${n}.*.*.*.*.*.*.*.*.*.*`);
    const greedy = new StreamClient(`${url}/events?topics=${patterns.join(',')}`);
    expect((await greedy.block('refused')).data).toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' });
    const other = await StreamClient.open(http('/events'));
    await append(1);
    expect(await other.numbers(1)).toEqual([1]);
  });

  it('[I-4] gets reset and goes on at the head if the position is of another log', async () => {
    const gateway = await startGateway();
    const { http, append } = gateway;
    const other = await startGateway();
    await other.append(5, { type: 'WasNumberedElsewhere' });
    const elsewhere = await StreamClient.open(other.http('/events?since=first'));
    await elsewhere.events.count(5);
    await append(8);
    await untilAtHead(gateway);
    const position = elsewhere.events.all[4]?.position ?? '';
    const client = await StreamClient.open(http('/events'), { 'Last-Event-ID': position });
    expect(client.blocks.all.map(({ name }) => name)).toEqual(['reset', 'subscribed']);
    expect(client.blocks.all[0]?.data).toMatchObject({ reason: 'replaced' });
    await append(1);
    expect(await client.numbers(1)).toEqual([9]);
  });

  it('[I-9][004-11] has the allowed origin in its answer; other origins are refused with 403', async () => {
    const { http } = await startGateway({ allowedOrigins: ['https://shop.example'] });
    const allowed = await begin(http('/events'), { Origin: 'https://shop.example' });
    expect(allowed.statusCode).toBe(200);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      vary: 'Origin',
      'content-type': 'text/event-stream',
      'access-control-allow-credentials': 'true',
      'cache-control': 'no-cache, no-store, no-transform',
    });
    const refused = await begin(http('/events'), { Origin: 'https://evil.example' });
    expect(refused.statusCode).toBe(403);
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    expect((await begin(http('/events'), {})).headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('An event stream through a proxy', () => {
  it('[I-1][I-2] delivers the same events in other chunks, and resumes when the proxy drops it', async () => {
    const gateway = await startGateway();
    const proxy = await startProxy(gateway);
    const client = await StreamClient.open(`${proxy.url}/events`);
    await gateway.append(300, { padding: 100 });
    expect(await client.numbers(300)).toEqual(numbers(1, 300));
    proxy.dropAll();
    await gateway.append(300, { padding: 100 });
    expect(await client.numbers(600)).toEqual(numbers(1, 600));
  });
});

/** Forwards requests, and answers in chunks of 1 to 97 bytes, as a proxy may. */
async function startProxy({ port }: TestGateway): Promise<{ url: string; dropAll(): void }> {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const forwarded = request({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
      const { connection: _, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, rest);
      answer.on('data', (chunk: Buffer) => {
        for (let at = 0, size = 1; at < chunk.length; at += size, size = (size * 7 + 3) % 97) {
          outgoing.write(chunk.subarray(at, at + size));
        }
      });
      answer.on('end', () => outgoing.end());
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    forwarded.end();
  });
  return { ...(await listenOn(server)), dropAll: () => server.closeAllConnections() };
}

async function listenOn(server: Server): Promise<{ url: string }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  afterTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${address.port}` };
}

function begin(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { headers: { Accept: 'text/event-stream', ...headers } }, resolve);
    asked.on('error', reject);
    afterTest(() =>
      asked
        .off('error', reject)
        .on('error', () => {})
        .destroy(),
    );
  });
}

async function ask(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { headers });
  return { status: response.status, body: await response.text() };
}
