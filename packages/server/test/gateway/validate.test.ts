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
  it('have defaults between the minimum and the maximum', () => {
    expect(normalizeLimits({})).toEqual(DEFAULT_LIMITS);
    expect(normalizeLimits(LEAST_LIMITS)).toEqual(LEAST_LIMITS);
    expect(normalizeLimits(MOST_LIMITS)).toEqual(MOST_LIMITS);
  });

  it('are refused outside of these, by name', () => {
    for (const [name, least] of Object.entries(LEAST_LIMITS)) {
      expect(() => normalizeLimits({ [name]: least - 1 })).toThrow(new RangeError(`${name} must be at least ${least}`));
    }
    for (const wrong of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => normalizeLimits({ heartbeatMs: wrong })).toThrow(TypeError);
    }
  });

  it.each(TIMERS)('allow %s at most the longest time of a timer, beyond which a timer would fire at once', (name) => {
    const limits: GatewayLimits = { [name]: 2 ** 31 };
    expect(() => normalizeLimits(limits)).toThrow(RangeError);
  });
});

describe('the routes of a gateway', () => {
  const log = openMemoryLog();

  it.each([
    ['a path without a slash', { a: { path: 'a' } }],
    ['a path with a query', { a: { path: '/a?b' } }],
    ['a repeated path', { a: { path: '/a' }, b: { path: '/a' } }],
    ['a fractional compression threshold', { a: { path: '/a', compression: { thresholdBytes: 0.5 } } }],
    ['an exchange that the gateway does not read', { a: { path: '/a', exchanges: ['other'] } }],
  ])('are refused with %s', (_, routes) => {
    expect(() => assertRoutes({ log, routes, exchanges: ['events'] })).toThrow(TypeError);
  });

  it('may be absent as long as Socket.IO is served', () => {
    for (const routes of [{}, undefined]) {
      const options = { log, ...(routes ? { routes } : {}) };
      assertRoutes(options);
      expect(() => assertRoutes({ ...options, socketIo: false })).toThrow(/createComponentServer/);
    }
  });

  it('are refused with a negative compression threshold, but not with compression on, off or from 0 bytes', () => {
    const routes = (compression: boolean | CompressionOptions) => ({ a: { path: '/a', compression } });
    expect(() => assertRoutes({ log, routes: routes({ thresholdBytes: -1 }) })).toThrow(RangeError);
    for (const fine of [true, false, {}, { thresholdBytes: 0 }]) assertRoutes({ log, routes: routes(fine) });
  });

  it('are refused with an invalid topic pattern', () => {
    expect(() => assertRoutes({ log, routes: { a: { path: '/a', topics: ['a..b'] } } })).toThrow(/TOPIC|topic pattern/);
  });
});

describe('the allowed origins', () => {
  it('may be any origin that browsers send', () => {
    assertOrigins(['https://shop.example', 'http://localhost:5001', 'http://[::1]', 'null', 'file://']);
    assertOrigins([]);
    assertOrigins(undefined);
  });

  it.each(['shop.example', 'https://shop.example/', 'https://shop.example:443', 'https://Shop.example', '*', ''])(
    '[I-9] cannot include %j, which no browser sends, since it would silently admit nobody',
    (origin) => {
      expect(() => assertOrigins(['null', origin])).toThrow(TypeError);
    },
  );
});
