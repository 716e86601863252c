import { once } from 'node:events';
import { createServer } from 'node:http';
import { EventSource } from 'eventsource';
import { describe, expect, it } from 'vitest';
import { afterTest } from '../../support/cleanup.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { within } from '../../support/gateway/inbox.js';
import { RawSocket } from '../../support/gateway/raw-socket.js';
import { StreamClient } from '../../support/gateway/stream-client.js';
import { describeWithNginx, Nginx } from '../../support/nginx.js';
import { describeInBrowser } from '../../support/pages/browser.js';
import { eventually } from '../../support/waiting.js';

const STREAM = { Accept: 'text/event-stream' };

async function textOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  let text = '';
  for await (const bytes of body ?? []) text += Buffer.from(bytes).toString();
  return text;
}

describe('The end of an event stream', () => {
  it('[fault E5] completes the body for fetch, without an error, if the gateway announces it', async () => {
    const { http, gateway } = await startGateway();
    const { body } = await fetch(http('/events'), { headers: STREAM });
    const [connection] = gateway.connections('events');
    connection?.close();
    expect(await textOf(body)).toMatch(/event: closing\n.*\n\n$/);
  });

  it('[fault E5] is an error for fetch if the connection broke off', async () => {
    const { gateway } = await startGateway();
    const server = createServer();
    gateway.attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => server.close());
    const port = Reflect.get(Object(server.address()), 'port');
    const { body } = await fetch(`http://127.0.0.1:${port}/events`, { headers: STREAM });
    const text = textOf(body);
    server.closeAllConnections();
    await expect(text).rejects.toThrow();
  });

  it('[fault E5] is the end of the connection for an HTTP/1.0 client', async () => {
    const { port, gateway } = await startGateway({ access: 'public' });
    const raw = await RawSocket.open(port);
    raw.write('GET /events HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n');
    const head = await raw.head();
    expect(head).not.toMatch(/transfer-encoding/i);
    await raw.untilText('event: subscribed');
    expect(raw.text).toMatch(/^id: /);
    await gateway.close({ spreadMs: 0 });
    await raw.whenEnded();
    expect(raw.text).toMatch(/"reconnect":true\}\n\n$/);
  });

  it('[fault E5] is final if the client must not come back', async () => {
    const { http, gateway, port } = await startGateway();
    const asked: (string | undefined)[] = [];
    const source = new EventSource(http('/events'), {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        asked.push(`${Reflect.get(Object(init.headers), 'Last-Event-ID') ?? '-'} ${response.status}`);
        return response;
      },
    });
    afterTest(() => source.close());
    source.addEventListener('subscribed', () => {
      for (const connection of gateway.connections('events'))
        connection.close({ code: 4504, reason: 'not allowed', reconnect: false });
    });
    const ended = new Promise<void>((resolve) => {
      source.addEventListener('error', () => source.readyState === source.CLOSED && resolve());
    });
    await within(ended, 'the end of an EventSource');
    expect(asked).toEqual(['- 200', '!4504 204']);
    // A new EventSource is admitted, because the page may have a reason for it.
    await StreamClient.open(`http://127.0.0.1:${port}/events`);
  });
});

describeInBrowser('The end of an event stream in a page', (open) => {
  it('[fault E5] is final if the client must not come back: EventSource asks only once more', async () => {
    const { http, gateway } = await startGateway();
    const application = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(application, 'listening');
    afterTest(() => application.close());
    const page = await open();
    const asked: string[] = [];
    page.on('response', (response) => {
      if (response.url() === http('/events')) asked.push(`${response.status()}`);
    });
    await page.goto(`http://127.0.0.1:${Reflect.get(Object(application.address()), 'port')}/`);
    const ended = page.evaluate(
      (url) =>
        new Promise<number>((resolve) => {
          const source = new window.EventSource(url);
          source.onerror = () => source.readyState === window.EventSource.CLOSED && resolve(source.readyState);
        }),
      http('/events'),
    );
    await eventually(
      () => gateway.connections('events').count,
      (count) => count === 1,
    );
    for (const connection of gateway.connections('events'))
      connection.close({ code: 4504, reason: 'not allowed', reconnect: false });
    expect(await ended).toBe(2);
    expect(asked).toEqual(['200', '204']);
  });
});

describeWithNginx('An event stream behind nginx', () => {
  for (const version of ['1.0', '1.1']) {
    it(`[fault E5] with compression and HTTP/${version} delivers events at once`, async () => {
      const { port, append } = await startGateway({ access: 'public' });
      const connection = version === '1.1' ? 'proxy_http_version 1.1; proxy_set_header Connection "";' : '';
      const nginx = await Nginx.start(
        port,
        `${connection} proxy_set_header Host $http_host; gzip on; gzip_types *; gzip_min_length 0; gzip_proxied any;`,
      );
      const client = await StreamClient.open(`http://127.0.0.1:${nginx.port}/events`, { 'Accept-Encoding': 'gzip' });
      await append(3);
      expect(await client.numbers(3)).toEqual([1, 2, 3]);
    });
  }
});

describe('An idle HTTP connection', () => {
  it('[fault E5] is kept for longer than load balancers keep theirs, or for keepAliveTimeoutMs', async () => {
    const kept = async (port: number) => {
      const raw = await RawSocket.open(port);
      raw.request('/nothing');
      return /keep-alive: timeout=(\d+)/i.exec(await raw.head())?.[1];
    };
    expect(await kept((await startGateway()).port)).toBe('65');
    expect(await kept((await startGateway({ keepAliveTimeoutMs: 5_000 })).port)).toBe('5');
  });

  it('[fault E5] is not ended by the handshake timeout', async () => {
    const { port } = await startGateway({ handshakeTimeoutMs: 200 });
    const raw = await RawSocket.open(port);
    raw.request('/nothing');
    expect((await raw.head()).slice(9, 12)).toBe('404');
    // The server looks for expired handshakes every second.
    await new Promise((resolve) => setTimeout(resolve, 2_300));
    raw.request('/nothing');
    expect(await raw.head()).toContain('404');
  });
});
