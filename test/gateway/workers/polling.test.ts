import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { afterFile, afterTest } from '../../support/cleanup.js';
import { appender, openTestLog } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { SocketIoClient, type Transports } from '../../support/gateway/socketio-client.js';
import { Workers } from '../../support/gateway/workers.js';
import { stablePort } from '../../support/ports.js';
import { parseOpen } from '../../support/socketio/engine-client.js';
import { eventually } from '../../support/waiting.js';

const CLIENTS = 50;
const TLS = fileURLToPath(new URL('../../support/tls/', import.meta.url));

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One connection to the port; it belongs to one worker for as long as it lasts. */
class Line {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #workers: Workers;

  constructor(workers: Workers) {
    this.#workers = workers;
    afterTest(() => this.#agent.destroy());
  }

  send(method: string, path: string, body = ''): Promise<Answer> {
    const answered = new Promise<Answer>((resolve, reject) => {
      const url = this.#workers.url('http', path);
      const request = httpRequest(url, { method, agent: this.#agent }, (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.once('error', reject).end(body);
    });
    return within(answered, 'an answer');
  }

  /**
   * Asks for an upgrade.
   * @returns the status of the answer, or undefined if the connection ended without one
   */
  upgrade(path: string): Promise<number | undefined> {
    const key = 'AAAAAAAAAAAAAAAAAAAAAA==';
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
    };
    return new Promise((resolve) => {
      const request = httpRequest(this.#workers.url('http', path), { agent: this.#agent, headers });
      request.once('upgrade', ({ statusCode }, socket) => {
        socket.destroy();
        resolve(statusCode);
      });
      request.once('response', (response) => resolve(response.resume().statusCode));
      request.once('error', () => resolve(undefined));
      request.end();
    });
  }

  /** Polls, and aborts the request after `ms`. */
  abortAfter(path: string, ms: number): void {
    const request = httpRequest(this.#workers.url('http', path), { agent: this.#agent });
    request.once('error', () => {}).end();
    setTimeout(() => request.destroy(), ms);
  }

  /** Opens a session in the worker that holds this connection. */
  async open(): Promise<Session> {
    const { text } = await this.send('GET', '/socket.io/?EIO=4&transport=polling');
    return new Session(parseOpen(text).sid);
  }
}

/** A polling session, which any connection can use. */
class Session {
  readonly sid: string;

  constructor(sid: string) {
    this.sid = sid;
  }

  get path(): string {
    return `/socket.io/?EIO=4&transport=polling&sid=${this.sid}`;
  }

  get worker(): number {
    return Number.parseInt(this.sid, 10);
  }
}

/** Returns one connection to each of two workers. */
async function lineToEach(workers: Workers): Promise<[Line, Line]> {
  const lines = new Map<number, Line>();
  while (lines.size < 2) {
    const line = new Line(workers);
    lines.set((await line.open()).worker, line);
  }
  const [one, two] = [lines.get(1), lines.get(2)];
  if (!one || !two) throw new Error('the workers are not 1 and 2');
  return [one, two];
}

describe('Long polling over several workers', () => {
  let shared: Workers;

  // For the tests that do not change the workers.
  beforeAll(async () => {
    shared = await Workers.start({ after: afterFile });
  });

  it.each<[string, Transports]>([
    ['polls alone', ['polling']],
    ['polls and upgrades', ['polling', 'websocket']],
  ])('[I-1][I-2][I-3] delivers every event once, in order, to a stock client that %s', async (_, transports) => {
    const workers = await Workers.start();
    const append = appender(await openTestLog(workers.logFile));
    const options = { transports: [...transports], auth: { names: 'event', since: 'first' } };
    const opening = Array.from({ length: CLIENTS }, () => SocketIoClient.open(workers.url('http', '/events'), options));
    const clients = await Promise.all(opening);
    const owners = clients.map(({ socket }) => Number.parseInt(socket.io.engine.id, 10));
    for (const worker of [1, 2]) expect(owners.filter((owner) => owner === worker).length).toBeGreaterThan(5);
    for (let round = 0; round < 10; round++) {
      await append(30);
      await delay(20);
    }
    const last = transports.length > 1 ? 'websocket' : 'polling';
    for (const client of clients) {
      await client.count('event', 300);
      expect(client.numbers()).toEqual(range(1, 300));
      await eventually(
        () => client.socket.io.engine.transport.name,
        (name) => name === last,
      );
    }
    // No client had to start over.
    expect(clients.map(({ recovered }) => recovered.length)).toEqual(clients.map(() => 1));
    await Promise.all(clients.map((client) => expect(client.ask('unsubscribe', { id: 7 })).resolves.toBeDefined()));
  });

  it('[G-1][I-2][I-3] lets clients of a killed worker reconnect to the other worker and miss nothing', async () => {
    const workers = await Workers.start({ port: await stablePort() });
    const append = appender(await openTestLog(workers.logFile));
    const ways: Transports[] = [['polling'], ['polling', 'websocket'], ['websocket']];
    const opening = ways.flatMap((transports) =>
      Array.from({ length: 6 }, () =>
        SocketIoClient.open(workers.url('http', '/events'), {
          transports: [...transports],
          auth: { names: 'event', since: 'first' },
        }),
      ),
    );
    const clients = await Promise.all(opening);
    await append(50);
    for (const client of clients) await client.count('event', 50);
    const [victim = 0] = workers.pids();
    process.kill(victim, 'SIGKILL');
    await append(50);
    await workers.untilPids(2, victim);
    await append(50);
    for (const client of clients) {
      await client.count('event', 150);
      expect(client.numbers()).toEqual(range(1, 150));
    }
    expect(clients.flatMap(({ recovered }) => recovered.slice(1)).filter((recovered) => !recovered)).toEqual([]);
  });

  it('reaches its session over any connection, and session ids cannot be guessed', async () => {
    const [one, two] = await lineToEach(shared);
    const session = await one.open();
    expect(session.sid).toMatch(/^1-[\w-]{20}$/);
    expect(await two.send('POST', session.path, '40/events,')).toEqual({ status: 200, text: 'ok' });
    expect((await two.send('GET', session.path)).text).toMatch(/^40\/events,\{"sid":/);
    const large = `42/events,["nothing","${'x'.repeat(900_000)}"]`;
    expect(await two.send('POST', session.path, large)).toEqual({ status: 200, text: 'ok' });
  });

  it('is answered with 413 on any connection if a poll is too large, however much of it follows the answer', async () => {
    for (const bytes of [1_100_000, 2_000_000, 4_000_000]) {
      for (let n = 0; n < 5; n++) {
        const [one, two] = await lineToEach(shared);
        for (const line of [one, two]) {
          const session = await one.open();
          expect(await line.send('POST', session.path, `4${'x'.repeat(bytes)}`)).toMatchObject({ status: 413 });
        }
      }
    }
  });

  it('gets Engine.IO’s error for an unknown session on every connection', async () => {
    const unknown = { status: 400, text: '{"code":1,"message":"Session ID unknown"}' };
    for (const line of await lineToEach(shared)) {
      for (const sid of ['1-x', '2-x', '3-x', '999-x', '1000-x', '0-x', 'x', '-1-x']) {
        const session = new Session(sid);
        expect(await line.send('GET', session.path)).toEqual(unknown);
        expect(await line.send('POST', session.path, '2')).toEqual(unknown);
      }
    }
  });

  it('ends a pending poll if its client disconnects or its worker dies', async () => {
    const workers = await Workers.start();
    const [one, two] = await lineToEach(workers);
    const [aborted, other] = [await one.open(), await one.open()];
    const hanging = two.send('GET', other.path);
    const third = (await lineToEach(workers))[1];
    third.abortAfter(aborted.path, 1_000);
    // Engine.IO ends a session whose client aborts a poll, also if another worker relays that poll.
    await eventually(
      () => one.send('POST', aborted.path, '6'),
      ({ status }) => status === 400,
    );
    expect(await one.send('POST', other.path, '6')).toMatchObject({ status: 200 });
    // The process that started first is worker 1.
    const [first = 0] = workers.pids();
    process.kill(first, 'SIGKILL');
    expect(await hanging).toEqual({ status: 400, text: '{"code":1,"message":"Session ID unknown"}' });
  });

  it('upgrades over any connection, and the relaying worker then takes no part', async () => {
    const [one, two] = await lineToEach(shared);
    for (const line of [one, two]) {
      for (let n = 0; n < 4; n++) {
        const session = await line.open();
        const url = shared.url('ws', `/socket.io/?EIO=4&transport=websocket&sid=${session.sid}`);
        const socket = new WebSocket(url);
        afterTest(() => socket.terminate());
        const heard = new Promise((resolve) => socket.once('message', (data) => resolve(data.toString())));
        // Sent right after the handshake, while the processes hand over the socket.
        socket.once('open', () => socket.send('2probe'));
        expect(await within(heard, 'the answer to a probe')).toBe('3probe');
        socket.terminate();
        await within(new Promise((resolve) => socket.once('close', resolve)), 'the end of the connection');
      }
    }
    // Sessions that a worker does not know, and a session of a worker that does not exist.
    for (const sid of ['1-none', '2-none', '9-none']) {
      const refused = new WebSocket(shared.url('ws', `/socket.io/?EIO=4&transport=websocket&sid=${sid}`));
      refused.once('error', () => {});
      const status = new Promise((resolve) => {
        refused.once('unexpected-response', (_, { statusCode }) => resolve(statusCode));
      });
      expect(await within(status, 'a refusal')).toBe(400);
    }
  });

  it('ends pending upgrades to a worker that is killed, so that no client waits for them', async () => {
    const workers = await Workers.start();
    const lines: { line: Line; session: Session }[] = [];
    const [one] = await lineToEach(workers);
    while (lines.length < 5) {
      const line = new Line(workers);
      if ((await line.open()).worker === 2) lines.push({ line, session: await one.open() });
    }
    const sockets = () => readdirSync(`/proc/${workers.primary.pid}/fd`).length;
    const before = sockets();
    const [first = 0] = workers.pids();
    process.kill(first, 'SIGSTOP');
    const upgrades = lines.map(({ line, session }) => line.upgrade(session.path.replace('polling', 'websocket')));
    await eventually(sockets, (count) => count >= before + lines.length);
    process.kill(first, 'SIGKILL');
    for (const upgrade of upgrades) expect([undefined, 400]).toContain(await within(upgrade, 'the end of an upgrade'));
    await workers.untilPids(2, first);
    await eventually(sockets, (count) => count <= before);
  });

  it('reaches its session over TLS as well, by polls and upgrades', async () => {
    const cert = join(TLS, 'localhost.cert.pem');
    const key = join(TLS, 'localhost.key.pem');
    const flags = ['--route=events', '--exchange=events', `--cert=${cert}`, `--key=${key}`];
    const workers = await Workers.start({ flags });
    const append = appender(await openTestLog(workers.logFile));
    const opening = Array.from({ length: 16 }, () =>
      SocketIoClient.open(workers.url('https', '/events'), {
        ca: readFileSync(join(TLS, 'cert.pem'), 'utf8'),
        rejectUnauthorized: false,
        auth: { names: 'event', since: 'first' },
      }),
    );
    const clients = await Promise.all(opening);
    await append(100);
    for (const client of clients) {
      await client.count('event', 100);
      expect(client.numbers()).toEqual(range(1, 100));
      await eventually(
        () => client.socket.io.engine.transport.name,
        (name) => name === 'websocket',
      );
      expect(client.recovered).toHaveLength(1);
    }
  });
});
