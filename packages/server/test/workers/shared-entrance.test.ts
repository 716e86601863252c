import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Entrance } from '../../src/transports/entrance.js';
import { ownerOf } from '../../src/workers/session-id.js';
import { WorkerSiblings } from '../../src/workers/shared-entrance.js';

const TLS = fileURLToPath(new URL('../../../../test/support/tls/', import.meta.url));

/** Answers with the request, and with the address of its client. */
class Echo implements Entrance {
  readonly claims = [];
  readonly name: string;
  readonly ended: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  knows(): boolean {
    return true;
  }

  arrives(): boolean {
    return false;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const { method, url, headers, rawHeaders, httpVersion } = request;
    const { remoteAddress } = request.socket;
    response.once('close', () => {
      if (!response.writableFinished) this.ended.push(url ?? '');
    });
    if (url?.includes('hang')) return;
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      response.writeHead(201, 'Echoed', { 'x-twice': ['1', '2'], 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ by: this.name, method, url, body, remoteAddress, httpVersion, headers, rawHeaders }),
      );
    });
  }

  upgrade({ socket, headers }: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\n\r\n${this.name} ${socket.remoteAddress} ${JSON.stringify(headers)} `,
    );
    stream.write(head);
    stream.pipe(stream);
    stream.once('close', () => this.ended.push('an upgrade'));
  }

  destroy(): void {}
}

let folder: string;
let echoes: readonly [Echo, Echo];
let entrances: readonly [Entrance, Entrance];
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-shared-'));
  echoes = [new Echo('one'), new Echo('two')];
  entrances = [share(1, echoes[0]), share(2, echoes[1])];
});

afterEach(() => {
  for (const entrance of entrances) entrance.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true, force: true });
});

function share(number: number, own: Entrance): Entrance {
  const hand = () => {
    throw new Error('this entrance must not get a socket');
  };
  return new WorkerSiblings({ place: { number, folder }, hand, onTaken: () => {} }).share(own);
}

/** The port of the first worker. */
async function listen(server: Server = createServer()): Promise<number> {
  servers.push(server);
  server.on('request', (request, response) => entrances[0].request(request, response));
  server.on('upgrade', (request, stream, head) => entrances[0].upgrade(request, stream, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

interface Heard {
  readonly answer: IncomingMessage;
  readonly text: string;
}

async function ask(
  port: number,
  path: string,
  options: { headers?: string[]; body?: string; agent?: Agent } = {},
): Promise<Heard> {
  const method = options.body === undefined ? 'GET' : 'POST';
  const host = ['Host', 'shop.example'];
  const headers = [...host, ...(options.headers ?? [])];
  const request = httpRequest({ port, path, method, headers, agent: options.agent });
  request.end(options.body);
  const [answer] = await once(request, 'response');
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part;
  return { answer, text };
}

it('an entrance answers its own requests, and hands over others unchanged', async () => {
  const port = await listen();
  expect(JSON.parse((await ask(port, '/?sid=1-abc')).text)).toMatchObject({ by: 'one' });
  expect(JSON.parse((await ask(port, '/')).text)).toMatchObject({ by: 'one' });
  const headers = [
    'Origin',
    'https://shop.example',
    'X-A',
    '1',
    'x-a',
    '2',
    'Cookie',
    'a=b',
    'X-Forwarded-For',
    '9.9.9.9',
  ];
  const { answer, text } = await ask(port, '/?sid=2-abc', { headers, body: 'ñ'.repeat(200_000) });
  const heard = JSON.parse(text);
  expect(heard).toMatchObject({
    by: 'two',
    method: 'POST',
    url: '/?sid=2-abc',
    body: 'ñ'.repeat(200_000),
    remoteAddress: '127.0.0.1',
    headers: {
      host: 'shop.example',
      origin: 'https://shop.example',
      'x-a': '1, 2',
      cookie: 'a=b',
      'x-forwarded-for': '9.9.9.9',
    },
  });
  expect(answer).toMatchObject({ statusCode: 201, statusMessage: 'Echoed' });
  expect(answer.headers).toMatchObject({ 'x-twice': '1, 2', 'content-type': 'application/json' });
});

it('an entrance ignores an address and a version of HTTP that the client claims', async () => {
  const port = await listen();
  const claimed = ['X-Pregon-Remote-Address', '6.6.6.6', 'x-pregon-remote-address', '7.7.7.7'];
  const headers = [...claimed, 'X-Pregon-HTTP-Version', '1.0'];
  const heard = JSON.parse((await ask(port, '/?sid=2-abc', { headers })).text);
  expect(heard.remoteAddress).toBe('127.0.0.1');
  expect(heard.httpVersion).toBe('1.1');
  expect(JSON.stringify([heard.headers, heard.rawHeaders])).not.toMatch(/pregon/i);
});

it('the owner of a session learns that a client uses HTTP/1.0, as a proxy does', async () => {
  const port = await listen();
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('GET /?sid=2-abc HTTP/1.0\r\nHost: localhost\r\n\r\n');
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  expect(text).toContain('"by":"two"');
  expect(text).toContain('"httpVersion":"1.0"');
});

it('an entrance tells the owner when the client breaks off', async () => {
  const port = await listen();
  const request = httpRequest({ port, path: '/?hang&sid=2-abc' });
  request.once('error', () => {});
  request.end();
  setTimeout(() => request.destroy(), 50);
  await vi.waitFor(() => expect(echoes[1].ended).toEqual(['/?hang&sid=2-abc']));
});

it('an entrance answers as for an unknown session if the worker that owns the session has ended', async () => {
  const port = await listen();
  const hanging = ask(port, '/?sid=2-abc&hang');
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual(['1.sock', '2.sock']));
  const before = await ask(port, '/?sid=2-abc');
  expect(JSON.parse(before.text)).toMatchObject({ by: 'two' });
  Reflect.set(echoes[0], 'request', (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(400).end('unknown'),
  );
  entrances[1].destroy();
  expect(await hanging).toMatchObject({ text: 'unknown' });
  expect(existsSync(join(folder, '2.sock'))).toBe(false);
  expect(await ask(port, '/?sid=2-abc')).toMatchObject({ text: 'unknown' });
  expect(await ask(port, '/?sid=2-abc', { body: 'x'.repeat(300_000) })).toMatchObject({ text: 'unknown' });
});

it.each(['is there', 'is gone'])('an unread body does not delay later requests if the owner %s', async (where) => {
  const port = await listen();
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual(['1.sock', '2.sock']));
  const refuse = (_: IncomingMessage, response: ServerResponse) => response.writeHead(400).end('unknown');
  for (const echo of echoes) Reflect.set(echo, 'request', refuse);
  if (where === 'is gone') entrances[1].destroy();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  for (let round = 0; round < 5; round++) {
    const body = 'x'.repeat(1_000_000);
    expect(await ask(port, '/?sid=2-abc', { body, agent })).toMatchObject({ text: 'unknown' });
    expect(await ask(port, '/', { agent })).toMatchObject({ text: 'unknown' });
  }
});

it('an entrance pipes an upgrade over TLS, which cannot be handed over, with its address', async () => {
  const pem = {
    cert: readFileSync(join(TLS, 'localhost.cert.pem')),
    key: readFileSync(join(TLS, 'localhost.key.pem')),
  };
  const port = await listen(createTlsServer(pem));
  const socket: Socket = connectTls({ port, rejectUnauthorized: false });
  socket.write(
    'GET /?sid=2-abc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nx-pregon-remote-address: 6.6.6.6\r\n\r\nearly ',
  );
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  await vi.waitFor(() => expect(text).toContain('early'));
  expect(text).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\ntwo 127\.0\.0\.1 \{/);
  expect(text).not.toContain('pregon');
  socket.write('late');
  await vi.waitFor(() => expect(text).toMatch(/early late$/));
  socket.destroy();
  await vi.waitFor(() => expect(echoes[1].ended).toEqual(['an upgrade']));
});

it.each([
  ['/?sid=1-a', 1],
  ['/?EIO=4&sid=12-a&x', 12],
  ['/?sid=256-', 256],
  ['/?sid=1000-a', undefined],
  ['/?sid=a', undefined],
  ['/?sid=-1-a', undefined],
  ['/?xsid=1-a', undefined],
  ['/?sid=2-a&sid=1-a', 1],
  ['/?s%69d=1-a', 1],
  ['/?EIO=4#&sid=1-a', undefined],
  ['/', undefined],
  [undefined, undefined],
])('the session in %s belongs to worker %s', (target, owner) => {
  expect(ownerOf(target)).toBe(owner);
});
