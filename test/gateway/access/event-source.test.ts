import { createServer } from 'node:http';
import { type EventSourceOptions, eventSource, type StreamErrorEvent } from '@pregon/client/event-source';
import type { PregonEvent } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { ISSUER, SECRET, signToken } from '../../support/access/tokens.js';
import { afterTest } from '../../support/cleanup.js';
import { numberOf, numbers, startGateway } from '../../support/gateway/gateway.js';
import { freePort } from '../../support/ports.js';

type Options = Parameters<typeof startGateway>[0];

function start(options: Options = {}) {
  return startGateway({
    auth: { issuers: [{ issuer: ISSUER, secret: SECRET }], leewayMs: 0 },
    routes: { events: { path: '/events', allow: [{ subscribe: 'n.#', if: { role: 'reader' } }] } },
    ...options,
  });
}

const reader = (expiresInS = 3_600) => signToken({ role: 'reader' }, { expiresInS });

function open(url: string, options: EventSourceOptions) {
  const source = eventSource(url, options);
  afterTest(() => source.close());
  const received: number[] = [];
  const errors: StreamErrorEvent[] = [];
  source.onmessage = ({ data }) => {
    const event: PregonEvent = JSON.parse(data);
    received.push(numberOf(event));
  };
  source.onerror = (error) => errors.push(error);
  return { source, received, errors };
}

describe('[H-04] eventSource of the client', () => {
  it('sends the token in a header, never in the URL, and gets what the token allows', async () => {
    const gateway = await start();
    await gateway.append(3);
    await gateway.append(1, { topic: () => 'secret' });
    const { received, source } = open(gateway.http('/events?since=first'), { token: () => reader() });
    await expect.poll(() => received).toEqual([1, 2, 3]);
    expect(source.readyState).toBe(1);
    expect(source.url).not.toContain('token');
  });

  it('[H-05] [I-2] [I-3] comes back with a fresh token when the old one expires, and misses nothing', async () => {
    const gateway = await start();
    let asked = 0;
    const { received } = open(gateway.http('/events?since=first'), {
      token: () => {
        asked += 1;
        return reader(asked === 1 ? 2 : 3_600);
      },
    });
    for (let n = 1; n <= 60; n++) {
      await gateway.append(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await expect.poll(() => received, { timeout: 30_000 }).toEqual(numbers(1, 60));
    expect(asked).toBeGreaterThanOrEqual(2);
  });

  it('[I-2] [I-3] comes back after the last event when the gateway was away', async () => {
    const port = await freePort();
    const gateway = await start({ listen: { port } });
    await gateway.append(2);
    const { received, errors } = open(gateway.http('/events?since=first'), { token: () => reader() });
    await expect.poll(() => received).toEqual([1, 2]);
    await gateway.gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    await gateway.append(2);
    await start({ logFile: gateway.logFile, listen: { port } });
    await expect.poll(() => received, { timeout: 30_000 }).toEqual([1, 2, 3, 4]);
    expect(errors.length).toBeGreaterThanOrEqual(1);
  });

  it('comes back after a checkpoint that no event brought', async () => {
    const gateway = await start({ heartbeatMs: 100 });
    const { source } = open(gateway.http('/events'), { token: () => reader() });
    await expect.poll(() => source.lastEventId).not.toBe('');
    const before = source.lastEventId;
    await gateway.append(1, { topic: () => 'secret' });
    await expect.poll(() => source.lastEventId).not.toBe(before);
  });

  it.each<[string, number, EventSourceOptions, number]>([
    ['no token', 401, {}, 2],
    ['two tokens in a row that are not valid', 401, { token: () => 'nonsense' }, 2],
    ['a token that may do nothing', 403, { token: () => signToken() }, 1],
  ])('gives up after %s, and says why', async (_case, status, options, attempts) => {
    const gateway = await start();
    const { source, errors } = open(gateway.http('/events'), options);
    await expect.poll(() => source.readyState).toBe(2);
    expect(errors.map((error) => error.status)).toEqual(Array.from({ length: attempts }, () => status));
    expect(errors.at(-1)?.message).toMatch(/token|identity/);
  });

  it('gives up at another server, and says what the answer was', async () => {
    const server = createServer((_request, response) => response.end('<html>'));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    afterTest(() => void server.close());
    const { source, errors } = open(`http://127.0.0.1:${port}/events`, {});
    await expect.poll(() => source.readyState).toBe(2);
    expect(errors[0]).toMatchObject({ status: 200, message: 'the answer is no event stream' });
  });

  it('tries again after a token function that fails or hangs, and after silence', async () => {
    const gateway = await start({ heartbeatMs: 60_000 });
    await gateway.append(1);
    let asked = 0;
    const { received, errors } = open(gateway.http('/events?since=first'), {
      connectTimeoutMs: 300,
      silenceTimeoutMs: 700,
      token: () => {
        asked += 1;
        if (asked === 1) throw new Error('the session is gone');
        return asked === 2 ? new Promise(() => {}) : reader();
      },
    });
    await expect.poll(() => received, { timeout: 20_000 }).toEqual([1]);
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    expect(errors.map(({ message }) => message).slice(0, 3)).toEqual([
      'the session is gone',
      'token() did not answer within 300 ms',
      'the stream did not answer within 700 ms',
    ]);
    expect(received).toEqual([1]);
  });

  it('tells nothing after close', async () => {
    const gateway = await start();
    const { source, received, errors } = open(gateway.http('/events?since=first'), { token: () => reader() });
    await expect.poll(() => source.readyState).toBe(1);
    source.close();
    await gateway.append(1);
    await expect.poll(() => gateway.gateway.connections('events').count).toBe(0);
    expect([received, errors]).toEqual([[], []]);
  });

  it('refuses options that cannot work', () => {
    expect(() => eventSource('ftp://a/')).toThrow(TypeError);
    expect(() => eventSource('http://a/', { silenceTimeoutMs: 0 })).toThrow(RangeError);
    const options = {};
    Reflect.set(options, 'token', 'text');
    expect(() => eventSource('http://a/', options)).toThrow('token must be a function');
  });
});
