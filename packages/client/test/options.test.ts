import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, readOptions } from '../src/options.js';
import { fakeWebSockets } from './support/fake-socket.js';

const { WebSocket } = fakeWebSockets();
const url = 'ws://localhost:1234/events';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the options of a client', () => {
  it.each<[string, unknown]>([
    ['not a URL', 'events'],
    ['relative, without a page', '/events'],
    ['without a scheme', 'localhost:1234/events'],
    ['of another scheme', 'ftp://localhost/events'],
    ['with a fragment', `${url}#here`],
    ['with an empty fragment', `${url}#`],
    ['empty', ''],
    ['a number', 1234],
    ['null', null],
    ['an object', {}],
  ])('refuse a url that is %s', (_, given) => {
    expect(() => readOptions({ WebSocket, ...Object({ url: given }) })).toThrow(TypeError);
  });

  it.each<Partial<ClientOptions>>([
    { pingIntervalMs: 0 },
    { pingIntervalMs: Number.NaN },
    { connectTimeoutMs: 2 ** 31 },
    { maxFrameBytes: 0 },
    { reconnect: { minDelayMs: -1 } },
    { reconnect: { minDelayMs: 10, maxDelayMs: 5 } },
    { reconnect: { maxDelayMs: 5_000, hiddenMaxDelayMs: 4_000 } },
    { reconnect: { factor: 0.5 } },
  ])('refuse %j', (options) => {
    expect(() => readOptions({ url, WebSocket, ...options })).toThrow(RangeError);
  });

  it('say what to do if the platform has no WebSocket, as in Node 20', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(() => readOptions({ url })).toThrow(
      new TypeError(
        "this platform has no WebSocket: import { WebSocket } from 'ws' and pass { WebSocket } to createClient",
      ),
    );
    expect(readOptions({ url, WebSocket }).WebSocket).toBe(WebSocket);
  });
});
