import { assertPattern, RESERVED_EXCHANGE } from '@pregon/protocol';
import type { Compression } from '../core/routes/served-route.js';
import { MAX_TIMER_MS } from '../core/time/clock.js';
import { canonicalPath, hasDotSegments } from '../transports/http/path.js';
import type { CompressionOptions, GatewayLimits, GatewayOptions } from './options.js';
import { ticketPath } from './tickets/ticket-path.js';

/** The defaults of the limits, which are documented at {@link GatewayLimits}. */
export const DEFAULT_LIMITS: Required<GatewayLimits> = {
  heartbeatMs: 25_000,
  stallTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  maxConnectionsPerAddress: 2_000,
  maxHandshakesPerSecond: 100,
  handshakeBurst: 1_000,
  maxFailedAuthenticationsPerMinute: 30,
  maxPendingPerAddress: 20,
  maxPending: 1_000,
  maxConnectionsPerIdentity: 100,
  maxFrameBytes: 1_048_576,
  maxFramesPerSecond: 200,
  frameBurst: 1_000,
  maxPolledPackets: 10_000,
  maxIncomingBytesPerSecond: 1_000_000,
  incomingBytesBurst: 4_000_000,
  maxSubscribesPerSecond: 50,
  subscribeBurst: 200,
  maxReplaysPerMinute: 20,
  replayBurst: 100,
  maxSnapshotsPerMinute: 10,
  snapshotBurst: 100,
  maxFrameDepth: 64,
  maxFrameValues: 16_384,
  maxBufferedBytes: 65_536,
  maxSubscriptions: 100,
  maxTopics: 1_000,
  maxTopicsBytes: 262_144,
  maxSnapshotBytes: 268_435_456,
  historyBytes: 16_777_216,
  flushIntervalMs: 0,
};

/** The minimum of each limit. */
export const LEAST_LIMITS: Required<GatewayLimits> = {
  heartbeatMs: 100,
  stallTimeoutMs: 100,
  handshakeTimeoutMs: 100,
  keepAliveTimeoutMs: 1_000,
  maxConnectionsPerAddress: 0,
  maxHandshakesPerSecond: 0,
  handshakeBurst: 1,
  maxFailedAuthenticationsPerMinute: 0,
  maxPendingPerAddress: 0,
  maxPending: 1,
  maxConnectionsPerIdentity: 0,
  maxFrameBytes: 125,
  maxFramesPerSecond: 0,
  frameBurst: 1,
  maxPolledPackets: 1,
  maxIncomingBytesPerSecond: 0,
  incomingBytesBurst: 1,
  maxSubscribesPerSecond: 0,
  subscribeBurst: 1,
  maxReplaysPerMinute: 0,
  replayBurst: 1,
  maxSnapshotsPerMinute: 0,
  snapshotBurst: 1,
  maxFrameDepth: 1,
  maxFrameValues: 1,
  maxBufferedBytes: 1,
  maxSubscriptions: 1,
  maxTopics: 1,
  maxTopicsBytes: 1,
  maxSnapshotBytes: 1,
  historyBytes: 0,
  flushIntervalMs: 0,
};

/** The maximum of each limit. */
export const MOST_LIMITS: Required<GatewayLimits> = {
  heartbeatMs: MAX_TIMER_MS,
  stallTimeoutMs: Number.MAX_SAFE_INTEGER,
  handshakeTimeoutMs: MAX_TIMER_MS,
  keepAliveTimeoutMs: MAX_TIMER_MS,
  maxConnectionsPerAddress: Number.MAX_SAFE_INTEGER,
  maxHandshakesPerSecond: Number.MAX_SAFE_INTEGER,
  handshakeBurst: Number.MAX_SAFE_INTEGER,
  maxFailedAuthenticationsPerMinute: Number.MAX_SAFE_INTEGER,
  maxPendingPerAddress: Number.MAX_SAFE_INTEGER,
  maxPending: Number.MAX_SAFE_INTEGER,
  maxConnectionsPerIdentity: Number.MAX_SAFE_INTEGER,
  maxFrameBytes: 2 ** 29,
  maxFramesPerSecond: Number.MAX_SAFE_INTEGER,
  frameBurst: Number.MAX_SAFE_INTEGER,
  maxPolledPackets: Number.MAX_SAFE_INTEGER,
  maxIncomingBytesPerSecond: Number.MAX_SAFE_INTEGER,
  incomingBytesBurst: Number.MAX_SAFE_INTEGER,
  maxSubscribesPerSecond: Number.MAX_SAFE_INTEGER,
  subscribeBurst: Number.MAX_SAFE_INTEGER,
  maxReplaysPerMinute: Number.MAX_SAFE_INTEGER,
  replayBurst: Number.MAX_SAFE_INTEGER,
  maxSnapshotsPerMinute: Number.MAX_SAFE_INTEGER,
  snapshotBurst: Number.MAX_SAFE_INTEGER,
  maxFrameDepth: Number.MAX_SAFE_INTEGER,
  maxFrameValues: Number.MAX_SAFE_INTEGER,
  maxBufferedBytes: Number.MAX_SAFE_INTEGER,
  maxSubscriptions: Number.MAX_SAFE_INTEGER,
  maxTopics: Number.MAX_SAFE_INTEGER,
  maxTopicsBytes: Number.MAX_SAFE_INTEGER,
  // The longest string that Node.js can make of a response.
  maxSnapshotBytes: 2 ** 29 - 24,
  historyBytes: Number.MAX_SAFE_INTEGER,
  flushIntervalMs: MAX_TIMER_MS,
};

/** @throws TypeError if a limit is not a whole number; RangeError if it is out of range */
export function normalizeLimits(options: GatewayLimits): Required<GatewayLimits> {
  return {
    heartbeatMs: wholeNumber(options, 'heartbeatMs'),
    stallTimeoutMs: wholeNumber(options, 'stallTimeoutMs'),
    handshakeTimeoutMs: wholeNumber(options, 'handshakeTimeoutMs'),
    keepAliveTimeoutMs: wholeNumber(options, 'keepAliveTimeoutMs'),
    maxConnectionsPerAddress: wholeNumber(options, 'maxConnectionsPerAddress'),
    maxHandshakesPerSecond: wholeNumber(options, 'maxHandshakesPerSecond'),
    handshakeBurst: wholeNumber(options, 'handshakeBurst'),
    maxFailedAuthenticationsPerMinute: wholeNumber(options, 'maxFailedAuthenticationsPerMinute'),
    maxPendingPerAddress: wholeNumber(options, 'maxPendingPerAddress'),
    maxPending: wholeNumber(options, 'maxPending'),
    maxConnectionsPerIdentity: wholeNumber(options, 'maxConnectionsPerIdentity'),
    maxFrameBytes: wholeNumber(options, 'maxFrameBytes'),
    maxFramesPerSecond: wholeNumber(options, 'maxFramesPerSecond'),
    frameBurst: wholeNumber(options, 'frameBurst'),
    maxPolledPackets: wholeNumber(options, 'maxPolledPackets'),
    maxIncomingBytesPerSecond: wholeNumber(options, 'maxIncomingBytesPerSecond'),
    incomingBytesBurst: wholeNumber(options, 'incomingBytesBurst'),
    maxSubscribesPerSecond: wholeNumber(options, 'maxSubscribesPerSecond'),
    subscribeBurst: wholeNumber(options, 'subscribeBurst'),
    maxReplaysPerMinute: wholeNumber(options, 'maxReplaysPerMinute'),
    replayBurst: wholeNumber(options, 'replayBurst'),
    maxSnapshotsPerMinute: wholeNumber(options, 'maxSnapshotsPerMinute'),
    snapshotBurst: wholeNumber(options, 'snapshotBurst'),
    maxFrameDepth: wholeNumber(options, 'maxFrameDepth'),
    maxFrameValues: wholeNumber(options, 'maxFrameValues'),
    maxBufferedBytes: wholeNumber(options, 'maxBufferedBytes'),
    maxSubscriptions: wholeNumber(options, 'maxSubscriptions'),
    maxTopics: wholeNumber(options, 'maxTopics'),
    maxTopicsBytes: wholeNumber(options, 'maxTopicsBytes'),
    maxSnapshotBytes: wholeNumber(options, 'maxSnapshotBytes'),
    historyBytes: wholeNumber(options, 'historyBytes'),
    flushIntervalMs: wholeNumber(options, 'flushIntervalMs'),
  };
}

/** Messages with fewer bytes are not compressed, unless a route says otherwise. */
const DEFAULT_THRESHOLD_BYTES = 512;

export function normalizeCompression(options: boolean | CompressionOptions | undefined): Compression | undefined {
  if (options === undefined || options === false) return undefined;
  const { thresholdBytes = DEFAULT_THRESHOLD_BYTES } = options === true ? {} : options;
  return { thresholdBytes };
}

function assertExchanges(option: string, exchanges: readonly string[] = []): void {
  if (!exchanges.includes(RESERVED_EXCHANGE)) return;
  throw new TypeError(`${option}: ${RESERVED_EXCHANGE} is reserved for revocations, and no client gets it; remove it`);
}

/** @throws TypeError | RangeError | PregonError TOPIC_INVALID */
export function assertRoutes({ routes = {}, exchanges, socketIo, transports, auth }: GatewayOptions): void {
  const names = Object.keys(routes);
  const hasOwnPaths = transports?.some(({ name }) => name === 'socket.io') ?? socketIo !== false;
  if (names.length === 0 && !hasOwnPaths && !socketIo) {
    throw new TypeError(
      'routes: a gateway without Socket.IO needs at least one route; use createComponentServer to serve components only',
    );
  }
  assertExchanges('exchanges', exchanges);
  const paths = new Map<string, string>();
  for (const [name, { path, topics, exchanges: own, compression }] of Object.entries(routes)) {
    if (!/^\/[^\s?#]*$/.test(path))
      throw new TypeError(`routes.${name}.path must start with "/" and have no "?" or "#"`);
    if (hasDotSegments(path))
      throw new TypeError(
        `routes.${name}.path must have no "." or ".." segment: clients resolve them, so none could request the path`,
      );
    const other = paths.get(canonicalPath(path));
    if (other !== undefined)
      throw new TypeError(`routes.${name}.path is already the path of the route ${other}; choose another path`);
    paths.set(canonicalPath(path), name);
    assertExchanges(`routes.${name}.exchanges`, own);
    for (const topic of topics ?? []) assertPattern(topic);
    assertCompression(name, normalizeCompression(compression));
    const unread = own?.find((exchange) => exchanges !== undefined && !exchanges.includes(exchange));
    if (unread !== undefined)
      throw new TypeError(
        `routes.${name}.exchanges: the gateway does not read ${unread}; add it to exchanges of the gateway`,
      );
  }
  if (auth) assertTicketPaths(paths);
}

/** @param paths the canonical paths of the routes, with their names */
function assertTicketPaths(paths: ReadonlyMap<string, string>): void {
  for (const [path, name] of paths) {
    const other = paths.get(canonicalPath(ticketPath(path)));
    if (other === undefined) continue;
    throw new TypeError(`routes.${other}.path is where clients get tickets for the route ${name}; choose another path`);
  }
}

function assertCompression(route: string, { thresholdBytes }: Compression = { thresholdBytes: 0 }): void {
  const name = `routes.${route}.compression.thresholdBytes`;
  if (!Number.isSafeInteger(thresholdBytes)) throw new TypeError(`${name} must be a whole number`);
  if (thresholdBytes < 0) throw new RangeError(`${name} must be at least 0`);
}

/**
 * @throws TypeError if an origin is one that no browser sends: it would admit no page, without any sign of the reason
 */
export function assertOrigins(origins: readonly string[] = []): void {
  const wrong = origins.find((origin) => !isOrigin(origin));
  if (wrong !== undefined) throw new TypeError(`allowedOrigins: ${JSON.stringify(wrong)} ${NO_ORIGIN}`);
}

export const NO_ORIGIN = 'is not an origin; write https://shop.example, or "null" for pages from disk';

/**
 * Whether a text is an origin as browsers send it: scheme, host, and the port if it is not the default of the scheme.
 * Chromium sends `file://` for pages from disk.
 */
export function isOrigin(text: string): boolean {
  return text === 'null' || text === 'file://' || (URL.canParse(text) && new URL(text).origin === text);
}

function wholeNumber(options: GatewayLimits, name: keyof GatewayLimits): number {
  const value = options[name] ?? DEFAULT_LIMITS[name];
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be a whole number`);
  if (value < LEAST_LIMITS[name]) throw new RangeError(`${name} must be at least ${LEAST_LIMITS[name]}`);
  if (value > MOST_LIMITS[name]) throw new RangeError(`${name} must be at most ${MOST_LIMITS[name]}`);
  return value;
}
