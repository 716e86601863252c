import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, readOptions } from '../src/options.js';
import { fakeWebSockets } from './support/fake-socket.js';

const { WebSocket } = fakeWebSockets();
const url = 'ws://localhost:1234/events';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the options of a client', () => {
  it.each<[string, Partial<ClientOptions>]>([
    ['http', { url: 'http://localhost:1234/events' }],
    ['no URL', { url: 'events' }],
    ['a fragment', { url: `${url}#here` }],
  ])('refuse a url that is %s', (_, options) => {
    expect(() => readOptions({ url, WebSocket, ...options })).toThrow(TypeError);
  });

  it.each<Partial<ClientOptions>>([
    { pingIntervalMs: 0 },
    { pingIntervalMs: Number.NaN },
    { connectTimeoutMs: 2 ** 31 },
    { maxFrameBytes: 0 },
    { reconnect: { minDelayMs: -1 } },
    { reconnect: { minDelayMs: 10, maxDelayMs: 5 } },
    { reconnect: { factor: 0.5 } },
  ])('refuse %j', (options) => {
    expect(() => readOptions({ url, WebSocket, ...options })).toThrow(RangeError);
  });

  it('say what to do where the platform has no WebSocket, as in Node 20', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(() => readOptions({ url })).toThrow(
      new TypeError(
        "this platform has no WebSocket: import { WebSocket } from 'ws' and pass { WebSocket } to createClient",
      ),
    );
    expect(readOptions({ url, WebSocket }).WebSocket).toBe(WebSocket);
  });
});
