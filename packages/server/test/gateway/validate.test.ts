import { describe, expect, it } from 'vitest';
import type { CompressionOptions, GatewayLimits } from '../../src/gateway/options.js';
import {
  assertOrigins,
  assertRoutes,
  DEFAULT_LIMITS,
  LEAST_LIMITS,
  MOST_LIMITS,
  normalizeLimits,
} from '../../src/gateway/validate.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';

const TIMERS = ['heartbeatMs', 'handshakeTimeoutMs', 'flushIntervalMs'] as const;

describe('the limits of a gateway', () => {
  it('have defaults, which lie between the least and the most', () => {
    expect(normalizeLimits({})).toEqual(DEFAULT_LIMITS);
    expect(normalizeLimits(LEAST_LIMITS)).toEqual(LEAST_LIMITS);
    expect(normalizeLimits(MOST_LIMITS)).toEqual(MOST_LIMITS);
  });

  it('are refused beyond them, by name', () => {
    for (const [name, least] of Object.entries(LEAST_LIMITS)) {
      expect(() => normalizeLimits({ [name]: least - 1 })).toThrow(new RangeError(`${name} must be at least ${least}`));
    }
    for (const wrong of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => normalizeLimits({ heartbeatMs: wrong })).toThrow(TypeError);
    }
  });

  it.each(TIMERS)('%s is no longer than a timer can wait: beyond that it would fire all the time', (name) => {
    const limits: GatewayLimits = { [name]: 2 ** 31 };
    expect(() => normalizeLimits(limits)).toThrow(RangeError);
  });
});

describe('the routes of a gateway', () => {
  const log = openMemoryLog();

  it.each([
    ['a path without a slash', { a: { path: 'a' } }],
    ['a path with a query', { a: { path: '/a?b' } }],
    ['one path twice', { a: { path: '/a' }, b: { path: '/a' } }],
    ['compression from half a byte on', { a: { path: '/a', compression: { thresholdBytes: 0.5 } } }],
    ['an exchange that the gateway does not read', { a: { path: '/a', exchanges: ['other'] } }],
  ])('are refused where there are %s', (_, routes) => {
    expect(() => assertRoutes({ log, routes, exchanges: ['events'] })).toThrow(TypeError);
  });

  it('may be absent as long as Socket.IO is served', () => {
    for (const routes of [{}, undefined]) {
      const options = { log, ...(routes ? { routes } : {}) };
      assertRoutes(options);
      expect(() => assertRoutes({ ...options, socketIo: false })).toThrow(/createComponentServer/);
    }
  });

  it('are refused where compression begins below nothing, and not where it is on, off or everything', () => {
    const routes = (compression: boolean | CompressionOptions) => ({ a: { path: '/a', compression } });
    expect(() => assertRoutes({ log, routes: routes({ thresholdBytes: -1 }) })).toThrow(RangeError);
    for (const fine of [true, false, {}, { thresholdBytes: 0 }]) assertRoutes({ log, routes: routes(fine) });
  });

  it('are refused where a topic pattern is none', () => {
    expect(() => assertRoutes({ log, routes: { a: { path: '/a', topics: ['a..b'] } } })).toThrow(/TOPIC|topic pattern/);
  });
});

describe('the allowed origins', () => {
  it('are what browsers send', () => {
    assertOrigins(['https://shop.example', 'http://localhost:5001', 'http://[::1]', 'null', 'file://']);
    assertOrigins([]);
    assertOrigins(undefined);
  });

  it.each(['shop.example', 'https://shop.example/', 'https://shop.example:443', 'https://Shop.example', '*', ''])(
    '[I-9] %j, which no browser sends, is refused: it would let in nobody, in silence',
    (origin) => {
      expect(() => assertOrigins(['null', origin])).toThrow(TypeError);
    },
  );
});
