import { assertPattern } from '@pregon/protocol';
import type { GatewayLimits, GatewayOptions } from './options.js';

/** The limits with their defaults; each is documented at {@link GatewayLimits}. */
export const DEFAULT_LIMITS: Required<GatewayLimits> = {
  heartbeatMs: 25_000,
  stallTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  maxFrameBytes: 1_048_576,
  maxBufferedBytes: 65_536,
  maxSubscriptions: 100,
  historyBytes: 16_777_216,
  flushIntervalMs: 0,
};

/** @throws TypeError | RangeError */
export function normalizeLimits(options: GatewayOptions): Required<GatewayLimits> {
  return {
    heartbeatMs: wholeNumber(options, 'heartbeatMs', 100),
    stallTimeoutMs: wholeNumber(options, 'stallTimeoutMs', 100),
    handshakeTimeoutMs: wholeNumber(options, 'handshakeTimeoutMs', 100),
    maxFrameBytes: wholeNumber(options, 'maxFrameBytes', 125),
    maxBufferedBytes: wholeNumber(options, 'maxBufferedBytes', 1),
    maxSubscriptions: wholeNumber(options, 'maxSubscriptions', 1),
    historyBytes: wholeNumber(options, 'historyBytes', 0),
    flushIntervalMs: wholeNumber(options, 'flushIntervalMs', 0),
  };
}

/** @throws TypeError | RangeError | PregonError TOPIC_INVALID */
export function assertRoutes(routes: GatewayOptions['routes']): void {
  const names = Object.keys(routes);
  if (names.length === 0) throw new TypeError('routes: a gateway needs at least one');
  const paths = new Map<string, string>();
  for (const [name, { path, topics }] of Object.entries(routes)) {
    if (!/^\/[^\s?#]*$/.test(path))
      throw new TypeError(`routes.${name}.path must start with "/" and have no "?" or "#"`);
    const other = paths.get(path);
    if (other !== undefined) throw new TypeError(`routes.${name}.path is that of the route ${other} already`);
    paths.set(path, name);
    for (const topic of topics ?? []) assertPattern(topic);
  }
}

function wholeNumber(options: GatewayLimits, name: keyof GatewayLimits, min: number): number {
  const value = options[name] ?? DEFAULT_LIMITS[name];
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be a whole number`);
  if (value < min) throw new RangeError(`${name} must be at least ${min}`);
  return value;
}
