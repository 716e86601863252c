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

/** The least that each limit may be. */
export const LEAST_LIMITS: Required<GatewayLimits> = {
  heartbeatMs: 100,
  stallTimeoutMs: 100,
  handshakeTimeoutMs: 100,
  maxFrameBytes: 125,
  maxBufferedBytes: 1,
  maxSubscriptions: 1,
  historyBytes: 0,
  flushIntervalMs: 0,
};

/** @throws TypeError | RangeError */
export function normalizeLimits(options: GatewayLimits): Required<GatewayLimits> {
  return {
    heartbeatMs: wholeNumber(options, 'heartbeatMs'),
    stallTimeoutMs: wholeNumber(options, 'stallTimeoutMs'),
    handshakeTimeoutMs: wholeNumber(options, 'handshakeTimeoutMs'),
    maxFrameBytes: wholeNumber(options, 'maxFrameBytes'),
    maxBufferedBytes: wholeNumber(options, 'maxBufferedBytes'),
    maxSubscriptions: wholeNumber(options, 'maxSubscriptions'),
    historyBytes: wholeNumber(options, 'historyBytes'),
    flushIntervalMs: wholeNumber(options, 'flushIntervalMs'),
  };
}

/** @throws TypeError | RangeError | PregonError TOPIC_INVALID */
export function assertRoutes({ routes, exchanges }: GatewayOptions): void {
  const names = Object.keys(routes);
  if (names.length === 0) throw new TypeError('routes: a gateway needs at least one');
  const paths = new Map<string, string>();
  for (const [name, { path, topics, exchanges: own }] of Object.entries(routes)) {
    if (!/^\/[^\s?#]*$/.test(path))
      throw new TypeError(`routes.${name}.path must start with "/" and have no "?" or "#"`);
    const other = paths.get(path);
    if (other !== undefined) throw new TypeError(`routes.${name}.path is that of the route ${other} already`);
    paths.set(path, name);
    for (const topic of topics ?? []) assertPattern(topic);
    const unread = own?.find((exchange) => exchanges !== undefined && !exchanges.includes(exchange));
    if (unread !== undefined) throw new TypeError(`routes.${name}.exchanges: the gateway does not read ${unread}`);
  }
}

function wholeNumber(options: GatewayLimits, name: keyof GatewayLimits): number {
  const value = options[name] ?? DEFAULT_LIMITS[name];
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be a whole number`);
  if (value < LEAST_LIMITS[name]) throw new RangeError(`${name} must be at least ${LEAST_LIMITS[name]}`);
  return value;
}
