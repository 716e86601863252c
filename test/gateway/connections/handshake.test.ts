import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { PlainClient, refusal } from '../../support/gateway/plain-client.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { eventually } from '../../support/waiting.js';

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(url: string, method: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    afterTest(() => asked.destroy());
    asked.on('error', reject).end(method === 'POST' ? 'x'.repeat(100_000) : undefined);
  });
}

describe('A gateway, on a request that opens no connection,', () => {
  it('[000-06] answers an unknown path with 404, whatever the method', async () => {
    const { http } = await startGateway();
    for (const method of ['GET', 'POST', 'HEAD']) expect((await ask(http('/nowhere'), method)).status).toBe(404);
  });

  it('answers a method other than GET with 405 and Allow', async () => {
    const { http } = await startGateway();
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      const { status, headers } = await ask(http('/events'), method, { Accept: 'text/event-stream' });
      expect({ method, status, allow: headers['allow'] }).toEqual({ method, status: 405, allow: 'GET' });
    }
  });

  it('answers a GET that asks for neither an upgrade nor an event stream with 426 and "Upgrade: websocket"', async () => {
    const { http } = await startGateway();
    for (const accept of ['text/html', '*/*', 'application/json']) {
      const { status, headers, body } = await ask(http('/events'), 'GET', { Accept: accept });
      expect([status, headers['upgrade'], headers['content-type']]).toEqual([
        426,
        'websocket',
        'application/problem+json',
      ]);
      expect(JSON.parse(body)).toMatchObject({ status: 426, title: expect.stringContaining('WebSocket') });
    }
  });
});

describe('A gateway, on an upgrade request,', () => {
  it('answers a WebSocket version other than 13 with 426, which names 13', async () => {
    const { port } = await startGateway();
    for (const version of ['8', '7', '14', '']) {
      const raw = await RawSocket.open(port);
      const head = await raw.upgrade('/events', { 'Sec-WebSocket-Version': version });
      expect(head).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
      expect(head).toMatch(/\r\nSec-WebSocket-Version: 13(\r\n|$)/);
      await raw.whenEnded();
    }
  });

  it('answers an upgrade to another protocol with 426, a missing or bad key with 400, and a POST with 405', async () => {
    const { port } = await startGateway();
    const statusOf = async (headers: Record<string, string>) => {
      const raw = await RawSocket.open(port);
      const head = await raw.upgrade('/events', headers);
      await raw.whenEnded();
      return head.slice(9, 12);
    };
    expect(await statusOf({ Upgrade: 'h2c' })).toBe('426');
    expect(await statusOf({ 'Sec-WebSocket-Key': 'short' })).toBe('400');
    expect(await statusOf({ 'Sec-WebSocket-Key': '' })).toBe('400');
    const raw = await RawSocket.open(port);
    raw.request('/events', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }, 'POST');
    expect(await raw.head()).toMatch(/^HTTP\/1\.1 405 .*\r\nAllow: GET(\r\n|$)/s);
  });

  it('[I-7] does not keep a refused connection open for a client that never ends its side', async () => {
    const { port } = await startGateway();
    const raw = await RawSocket.open(port);
    await raw.upgrade('/nowhere');
    await raw.whenEnded();
    // The client's side stays open, so only a reset shows that the gateway is gone. The gateway sends it in answer to
    // bytes that come after its close.
    const closed = new Promise((resolve) => raw.socket.once('close', resolve));
    await eventually(
      () => raw.socket.destroyed || raw.socket.write('still here'),
      () => raw.socket.destroyed,
      3_000,
    );
    await closed;
  });

  it('selects pregon.v1 wherever it stands among the offered subprotocols, and no other', async () => {
    const { port } = await startGateway();
    const chosen = async (offered: string) => {
      const raw = await RawSocket.open(port);
      const head = await raw.upgrade('/events', { 'Sec-WebSocket-Protocol': offered });
      expect(head).toMatch(/^HTTP\/1\.1 101 /);
      return /Sec-WebSocket-Protocol: (\S+)/.exec(head)?.[1];
    };
    expect(await chosen('pregon.v1')).toBe('pregon.v1');
    expect(await chosen('graphql-ws, pregon.v1')).toBe('pregon.v1');
    expect(await chosen('graphql-ws')).toBeUndefined();
    expect(await chosen('pregon.v2')).toBeUndefined();
  });

  it('agrees to no extension', async () => {
    const { port } = await startGateway();
    const raw = await RawSocket.open(port);
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    expect(await raw.upgrade('/events', offer)).not.toMatch(/Extensions/i);
  });
});

describe('The check of origins', () => {
  const LOOPBACK_HOSTS = [
    'localhost:1234',
    '127.0.0.1:1234',
    '[::1]:1234',
    'LOCALHOST',
    '127.8.9.10',
    'app.localhost:80',
  ];
  const LOCAL_PAGES = ['http://localhost:5001', 'https://127.0.0.1', 'http://[::1]:8080', 'file://'];

  it('[I-9][004-11] admits pages from loopback addresses and from disk under a loopback name, and programs, if no origins are configured', async () => {
    const { port } = await startGateway({ access: 'public' });
    for (const host of LOOPBACK_HOSTS) {
      for (const origin of LOCAL_PAGES) expect(await statusFor(port, { host, origin }), origin).toBe('101');
    }
    for (const host of ['localhost', 'gateway.example:1234']) expect(await statusFor(port, { host })).toBe('101');
  });

  it('[I-9][004-11] refuses foreign pages, and any page under a foreign name (DNS rebinding), if no origins are configured', async () => {
    const { port } = await startGateway({ access: 'public' });
    const foreign = [
      'https://evil.example',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
      'http://notlocalhost',
      'http://10.0.0.1',
      'http://128.0.0.1',
      'localhost',
      '',
      'chrome-extension://abc',
      'null',
    ];
    for (const origin of foreign) expect(await statusFor(port, { host: 'localhost:1234', origin }), origin).toBe('403');
    for (const host of ['evil.example:1234', '192.168.0.7:1234', 'localhost.evil.example', '']) {
      for (const origin of LOCAL_PAGES)
        expect(await statusFor(port, { host, origin }), `${host} ${origin}`).toBe('403');
    }
  });

  it('[I-9][004-11] admits exactly the configured origins, whatever the host; loopback is no exception', async () => {
    const { port } = await startGateway({ access: 'public', allowedOrigins: ['https://shop.example', 'null'] });
    for (const host of ['localhost', 'gateway.example']) {
      expect(await statusFor(port, { host, origin: 'https://shop.example' })).toBe('101');
      expect(await statusFor(port, { host, origin: 'null' })).toBe('101');
      expect(await statusFor(port, { host })).toBe('101');
      const others = [
        'http://shop.example',
        'https://shop.example:444',
        'https://a.shop.example',
        'http://localhost',
        'file://',
      ];
      for (const origin of others) expect(await statusFor(port, { host, origin }), origin).toBe('403');
    }
  });

  it('[I-9] admits no page if the configured list is empty', async () => {
    const { port } = await startGateway({ allowedOrigins: [] });
    expect(await statusFor(port, { host: 'localhost', origin: 'http://localhost' })).toBe('403');
    expect(await statusFor(port, { host: 'localhost' })).toBe('101');
  });

  it('[I-9] admits a browser’s GET without an origin, as from a page of the gateway itself, only under the gateway’s own names (DNS rebinding)', async () => {
    const open = await startGateway({ access: 'public' });
    const listed = await startGateway({ access: 'public', allowedOrigins: ['https://shop.example:8443'] });
    for (const host of [...LOOPBACK_HOSTS, '192.168.0.7:1234', '[2001:db8::1]']) {
      expect(await streamStatus(open.port, host), host).toBe('200');
      expect(await streamStatus(listed.port, host), host).toBe('200');
    }
    for (const host of ['evil.example:1234', 'localhost.evil.example', '1.2.3.4.evil.example', 'gateway', '']) {
      expect(await streamStatus(open.port, host), host).toBe('403');
      expect(await streamStatus(listed.port, host), host).toBe('403');
    }
    expect(await streamStatus(listed.port, 'shop.example')).toBe('200');
    expect(await streamStatus(open.port, 'shop.example')).toBe('403');
    expect(await streamStatus(open.port, 'gateway', {})).toBe('200');
  });

  it('[I-9] [H-01] admits pages from disk by plain WebSocket only, and the origin null only if it is allowed', async () => {
    const strict = await startGateway();
    const withNull = await startGateway({ allowNullOrigin: true });
    const listed = await startGateway({ allowedOrigins: ['https://shop.example'], allowNullOrigin: true });
    for (const { gateway } of [strict, withNull]) {
      gateway.mount('/chat', { onOpen() {}, onMessage() {}, onClose() {}, onError() {} });
    }
    const frames = { 'Sec-WebSocket-Protocol': 'chat, pregon.v1' };
    const socketIo = '/socket.io/?EIO=4&transport=websocket';
    const statuses = async (port: number, origin: string) =>
      Promise.all([
        statusFor(port, { host: 'localhost', origin }),
        statusFor(port, { host: 'localhost', origin }, { headers: frames }),
        statusFor(port, { host: 'localhost', origin }, { path: socketIo }),
        statusFor(port, { host: 'localhost', origin }, { path: '/chat' }),
        streamStatus(port, 'localhost', { Origin: origin }),
      ]);
    expect(await statuses(strict.port, 'file://')).toEqual(['101', '403', '403', '403', '403']);
    expect(await statuses(strict.port, 'null')).toEqual(['403', '403', '403', '403', '403']);
    expect(await statuses(withNull.port, 'null')).toEqual(['101', '101', '101', '101', '200']);
    expect(await statuses(withNull.port, 'file://')).toEqual(['101', '403', '403', '403', '403']);
    expect(await statusFor(listed.port, { host: 'localhost', origin: 'null' })).toBe('101');
    expect(await statusFor(listed.port, { host: 'localhost', origin: 'file://' })).toBe('403');
    expect(await statusFor(listed.port, { host: 'localhost', origin: 'http://localhost:5001' })).toBe('403');
  });

  it('[I-9] tells a page of a refused origin nothing, not even on an unknown path', async () => {
    const { http } = await startGateway();
    for (const path of ['/events', '/nowhere']) {
      const { status, headers } = await ask(http(path), 'GET', { Origin: 'https://evil.example' });
      expect([status, headers['access-control-allow-origin']]).toEqual([path === '/events' ? 403 : 404, undefined]);
    }
  });

  it('[I-9] names the origin and the reason in a refusal', async () => {
    const { http, ws } = await startGateway();
    const headers = { Accept: 'text/event-stream', Origin: 'https://evil.example' };
    const { status, body } = await ask(http('/events'), 'GET', headers);
    expect([status, JSON.parse(body).title]).toEqual([403, expect.stringContaining('https://evil.example')]);
    expect((await refusal(ws('/events'), { origin: 'https://evil.example' })).statusCode).toBe(403);
  });
});

async function statusFor(
  port: number,
  { host, origin }: { host: string; origin?: string },
  { path = '/events', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<string> {
  const raw = await RawSocket.open(port);
  const head = await raw.upgrade(path, {
    Host: host,
    ...(origin === undefined ? {} : { Origin: origin }),
    ...headers,
  });
  raw.socket.destroy();
  return head.slice(9, 12);
}

async function streamStatus(
  port: number,
  host: string,
  headers: Record<string, string> = { 'Accept-Language': 'en', 'User-Agent': 'Mozilla/5.0' },
): Promise<string> {
  const raw = await RawSocket.open(port);
  raw.request('/events', { Host: host, Accept: 'text/event-stream', ...headers });
  const head = await raw.head();
  raw.socket.destroy();
  return head.slice(9, 12);
}

describe('A slow handshake', () => {
  it('[I-8] is ended after handshakeTimeoutMs at whatever point it is, and disturbs no other client', async () => {
    const { port, ws, append } = await startGateway({ handshakeTimeoutMs: 300 });
    const client = await PlainClient.open(ws('/events'));
    const texts = ['', 'GE', 'GET /events HTTP/1.1\r\nHost: localhost\r\n', 'GET /events HTTP/1.1\r\nHost: local'];
    const slow = await Promise.all(
      texts.map(async (text) => {
        const raw = await RawSocket.open(port);
        raw.write(text);
        return raw;
      }),
    );
    const dripping = await RawSocket.open(port);
    const drip = setInterval(() => dripping.socket.writable && dripping.write('a'), 50);
    afterTest(() => clearInterval(drip));
    dripping.write('GET /events HTTP/1.1\r\nX-Slow: ');
    for (const raw of [...slow, dripping]) await raw.whenEnded(4_000);
    await append(1);
    expect(await client.numbers(1)).toEqual([1]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

describe('A gateway whose port is in use', () => {
  it('reports an error that names the port', async () => {
    const { port, gateway } = await startGateway();
    const second = startGateway({ listen: { port } });
    await expect(second).rejects.toMatchObject({ code: 'LISTEN_FAILED', message: expect.stringContaining(`${port}`) });
    await expect(gateway.listen({ port: 0 })).rejects.toThrow(TypeError);
  });
});
