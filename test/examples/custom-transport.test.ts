import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assertEvent } from '@pregon/protocol';
import { createGateway, openLog, sse, websocket } from 'pregon';
import { describeTransport } from 'pregon/testing';
import type { Kernel, TransportEntrance } from 'pregon/transport';
import { describe, expect, it } from 'vitest';
// @ts-expect-error an example in JavaScript, checked by its own comments
import { ndjson } from '../../examples/custom-transport/ndjson.js';
import { afterTest, temporaryFolder } from '../support/cleanup.js';
import { startedByReadme } from '../support/documents/example-readme.js';
import { Inbox } from '../support/gateway/inbox.js';
import { PlainClient } from '../support/gateway/plain-client.js';
import { RawSocket } from '../support/gateway/raw-socket.js';
import { startProcess } from '../support/processes.js';
import { eventually } from '../support/waiting.js';

const EXAMPLE = join(import.meta.dirname, '../../examples/custom-transport');
const LINES = { Accept: 'application/x-ndjson' };

async function startGateway(options: { maxBufferedBytes?: number; maxTopicsBytes?: number } = {}) {
  const log = await openLog(`sqlite:${temporaryFolder()}/log.db`);
  afterTest(() => log.close());
  const gateway = await createGateway({
    ...options,
    log,
    routes: { events: { path: '/events', snapshot: () => ({ rows: [{ id: 1 }], sequence: 0 }) } },
    transports: [ndjson(), websocket(), sse()],
  });
  afterTest(() => gateway.close({ spreadMs: 0 }));
  const { port } = await gateway.listen({ port: 0 });
  const publish = async (first: number, last: number, data: object = {}) => {
    for (let n = first; n <= last; n++) {
      const topic = n % 2 === 0 ? 'number.even' : 'number.odd';
      await gateway.publish({ exchange: 'x', topic, type: 'WasNumbered', source: '/test', data: { n, ...data } });
    }
  };
  return { gateway, port, url: `http://127.0.0.1:${port}/events`, publish };
}

/** Reads lines until the test ends; if `paused`, only after `resume`. */
async function read(url: string, { paused = false } = {}) {
  const request = get(url, { headers: LINES });
  afterTest(() => request.destroy());
  const [response]: IncomingMessage[] = await once(request, 'response');
  expect([response?.statusCode, response?.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  const lines = new Inbox<Record<string, unknown>>();
  const resume = () => {
    if (!response) return;
    response.on('error', () => {});
    const reader = createInterface({ input: response });
    reader.on('error', () => {});
    reader.on('line', (line) => line !== '' && lines.push(JSON.parse(line)));
  };
  if (!paused) resume();
  const numbers = () => lines.all.flatMap(({ data }) => (isNumbered(data) ? [data.n] : []));
  return { lines, numbers, resume, stop: () => request.destroy() };
}

function isNumbered(data: unknown): data is { n: number } {
  return typeof data === 'object' && data !== null && 'n' in data;
}

describeTransport(
  { describe, it },
  {
    name: 'ndjson',
    transport: ndjson,
    async connect({ url, headers }, observer) {
      const request = get(url, { headers: { ...headers, ...LINES } });
      const [response]: IncomingMessage[] = await once(request, 'response');
      if (response?.statusCode !== 200) {
        request.destroy();
        return { status: response?.statusCode ?? 0 };
      }
      response.on('error', () => {});
      response.on('close', () => observer.closed());
      const reader = createInterface({ input: response });
      reader.on('error', () => {});
      reader.on('line', (line) => {
        const frame: unknown = line === '' ? undefined : JSON.parse(line);
        if (typeof frame !== 'object' || frame === null || !('specversion' in frame)) return;
        assertEvent(frame);
        observer.event(frame);
      });
      return {
        setReading: (reading) => void (reading ? response.resume() : response.pause()),
        close: () => request.destroy(),
      };
    },
  },
);

describe('The example custom-transport', () => {
  it('has at most a hundred lines, and imports only public modules', () => {
    const source = readFileSync(join(EXAMPLE, 'ndjson.js'), 'utf8');
    expect(source.split('\n').length).toBeLessThanOrEqual(100);
    expect([...source.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, from]) => from)).toEqual(
      expect.arrayContaining(['pregon/transport']),
    );
    expect(source).not.toMatch(/from '\.|import\('\.|dist\//);
  });

  it('compiles against the types of pregon/transport', () => {
    const tsc = join(EXAMPLE, '../../node_modules/.bin/tsc');
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--skipLibCheck',
      '--allowJs',
      '--checkJs',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
    ];
    const { stdout, status } = spawnSync(tsc, [...flags, '--types', 'node', 'ndjson.js'], {
      cwd: EXAMPLE,
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual(['', 0]);
  });

  it('[I-1][I-2][I-3] delivers history and live events as lines, in order, each once, and resumes after a position', async () => {
    const { url, publish } = await startGateway();
    await publish(1, 50);
    const first = await read(`${url}?since=first`);
    await publish(51, 60);
    await first.lines.until(() => first.numbers().length === 60, 'sixty events');
    expect(first.numbers()).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const { position } = first.lines.all.find(({ data }) => isNumbered(data) && data.n === 42) ?? {};
    first.stop();
    const second = await read(`${url}?since=${position}`);
    await publish(61, 70);
    await second.lines.until(() => second.numbers().length === 28, 'the missed events');
    expect(second.numbers()).toEqual(Array.from({ length: 28 }, (_, i) => i + 43));
  });

  it('narrows by topics, and begins with a snapshot on request', async () => {
    const { url, publish } = await startGateway();
    const even = await read(`${url}?topics=number.even&snapshot=true`);
    await even.lines.until(() => even.lines.all.some(({ op }) => op === 'subscribed'), 'its subscription');
    expect(even.lines.all.find(({ op }) => op === 'snapshot')).toMatchObject({ rows: [{ id: 1 }], more: false });
    await publish(1, 6);
    await even.lines.until(() => even.numbers().length === 3, 'three events');
    expect(even.numbers()).toEqual([2, 4, 6]);
  });

  it('[I-7] buffers nothing for a client that does not read, and delivers everything when it reads on', async () => {
    const { url, publish, gateway } = await startGateway({ maxBufferedBytes: 1 });
    const slow = await read(`${url}?since=first`, { paused: true });
    await publish(1, 400, { padding: 'x'.repeat(50_000) });
    expect([...gateway.connections('events')].map(({ transport }) => transport)).toEqual(['ndjson']);
    slow.resume();
    await slow.lines.until(() => slow.numbers().length === 400, 'the unread events');
    expect(slow.numbers()).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
  });

  it.each([
    ['/elsewhere', {}, 404],
    ['/events?since=nonsense', {}, 400],
    ['/events', { Origin: 'https://evil.example' }, 403],
  ])('refuses %s with headers %j by the rules of the gateway: %i', async (path, headers, status) => {
    const { port } = await startGateway();
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...LINES, ...headers } });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  it('is offered to a client that asks for something else', async () => {
    const { url } = await startGateway();
    const response = await fetch(url, { headers: { Accept: 'text/html' } });
    expect([response.status, await response.json()]).toEqual([
      426,
      { status: 426, title: 'ask for application/x-ndjson, or connect by WebSocket, or ask for text/event-stream' },
    ]);
  });

  it('[I-7] ends a connection with a pipelined second request, which would wait for ever', async () => {
    const { port, gateway } = await startGateway();
    const raw = await RawSocket.open(port);
    raw.write('GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n'.repeat(100));
    await raw.whenEnded();
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 0,
    );
  });

  it('[I-8] refuses a client that asks for too many topics, and disturbs no other', async () => {
    const { url, publish } = await startGateway({ maxTopicsBytes: 1_000 });
    const other = await read(url);
    const topics = Array.from({ length: 100 }, (_, n) => `user.number${n}`).join(',');
    const greedy = await read(`${url}?topics=${topics}`);
    await greedy.lines.until(() => greedy.lines.all.some(({ op }) => op === 'closing'), 'the closing line');
    expect(greedy.lines.all.find(({ op }) => op === 'error')).toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' });
    await publish(1, 1);
    await other.lines.until(() => other.numbers().length === 1, 'an event');
  });

  it('[I-7] drops messages for a client that does not read', async () => {
    const { url, gateway } = await startGateway();
    const slow = await read(url, { paused: true });
    const connections = gateway.connections('events');
    const data = 'x'.repeat(60_000);
    let written = 0;
    for (let n = 0; n < 500; n++) {
      written += connections.broadcast(data, { local: true });
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Only as many messages as the system's socket buffers hold; the rest of the 30 MB is dropped.
    expect(written).toBeLessThan(300);
    slow.stop();
  });

  it('sends a closing line when the gateway closes', async () => {
    const { url, gateway } = await startGateway();
    const client = await read(url);
    await client.lines.until(() => client.lines.all.some(({ op }) => op === 'subscribed'), 'its subscription');
    await gateway.close({ spreadMs: 0 });
    await client.lines.until(() => client.lines.all.some(({ op }) => op === 'closing'), 'the closing line');
    expect(client.lines.all.at(-1)).toMatchObject({ op: 'closing', code: 4000 });
  });

  it('runs as its README says, and ends on SIGTERM', async () => {
    const log = `sqlite:${temporaryFolder()}/log.db`;
    const example = startProcess(startedByReadme(EXAMPLE), { cwd: EXAMPLE, env: { PORT: '0', PREGON_LOG: log } });
    const [, port = ''] = await example.until(/running on port (\d+)\n/);
    const client = await read(`http://127.0.0.1:${port}/events?since=first`);
    await client.lines.until(() => client.lines.all.some(({ type }) => type === 'ClockTicked'), 'a tick');
    expect((await example.kill('SIGTERM')).code).toBe(0);
  });
});

it('A transport that cannot be created prevents the start, and leaves nothing open', async () => {
  const broken = { name: 'broken', offer: 'nothing', entrance: () => Promise.reject(new TypeError('no such port')) };
  const log = `sqlite:${temporaryFolder()}/log.db`;
  await expect(createGateway({ log, routes: { events: { path: '/events' } }, transports: [broken] })).rejects.toThrow(
    'no such port',
  );
  const next = await createGateway({ log, routes: { events: { path: '/events' } } });
  await next.close({ spreadMs: 0 });
});

describe('A faulty transport', () => {
  const routes = { events: { path: '/events' } };
  const start = async (transport: Partial<TransportEntrance>) => {
    const broken = {
      name: 'broken',
      offer: 'nothing',
      entrance: () => ({ takes: isMeant, destroy() {}, ...transport }),
    };
    const log = `sqlite:${temporaryFolder()}/log.db`;
    const gateway = await createGateway({ log, routes, transports: [broken, websocket()] });
    afterTest(() => gateway.close({ spreadMs: 0 }));
    const { port } = await gateway.listen({ port: 0 });
    return { gateway, port };
  };
  const isMeant = ({ headers }: IncomingMessage) => headers['x-broken'] !== undefined;
  const fail = () => {
    throw new TypeError('a mistake');
  };

  it.each([
    ['answers a request', { request: fail }, ''],
    ['takes an upgrade', { upgrade: fail }, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
  ])('[I-8] that throws when it %s costs only that connection', async (_, transport, headers) => {
    const { port } = await start(transport);
    for (let n = 0; n < 3; n++) {
      const raw = await RawSocket.open(port);
      raw.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nX-Broken: yes\r\n${headers}\r\n`);
      await raw.whenEnded();
    }
    expect((await fetch(`http://127.0.0.1:${port}/nowhere`)).status).toBe(404);
  });

  it('[I-8] whose links throw keeps no message from other clients, and does not prevent the gateway from closing', async () => {
    let enter: (request: IncomingMessage, response: ServerResponse) => void = () => {};
    const throwing = {
      name: 'broken',
      offer: 'nothing',
      entrance: (kernel: Kernel): TransportEntrance => {
        enter = (request) => {
          const admission = kernel.admit(request);
          if (!('route' in admission)) return;
          kernel.enter(admission, request, {
            transport: 'broken',
            full: false,
            bufferedBytes: 0,
            takenBytes: 0,
            events: fail,
            control() {},
            message: fail,
            ping: () => false,
            close: fail,
          });
        };
        return { takes: isMeant, request: (request, response) => enter(request, response), destroy() {} };
      },
    };
    const log = `sqlite:${temporaryFolder()}/log.db`;
    const gateway = await createGateway({ log, routes, transports: [throwing, websocket()] });
    const { port } = await gateway.listen({ port: 0 });
    const raw = await RawSocket.open(port);
    raw.write('GET /events HTTP/1.1\r\nHost: localhost\r\nX-Broken: yes\r\n\r\n');
    const healthy = await PlainClient.open(`ws://127.0.0.1:${port}/events`);
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 2,
    );
    gateway.connections('events').broadcast('hello', { local: true });
    expect(await healthy.messages.count(1)).toEqual(['hello']);
    await gateway.close({ spreadMs: 0, timeoutMs: 500 });
    expect((await healthy.whenClosed()).code).toBe(4000);
  });
});
