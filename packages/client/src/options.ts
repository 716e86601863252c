import { DEFAULT_MAX_FRAME_BYTES } from '@pregon/protocol';
import type { BackoffOptions } from './backoff.js';
import { type Clock, MAX_TIMER_MS, systemClock } from './clock.js';
import { type Connectivity, platformConnectivity } from './connectivity.js';
import { findWebSocket, type WebSocketConstructor } from './web-socket.js';

export interface ClientOptions {
  /**
   * The route of the gateway, `ws://localhost:1234/events`. A function is asked before each attempt, so that it can bring a fresh token;
   * where it fails, the attempt has failed.
   */
  readonly url: string | (() => string | Promise<string>);
  /** @default globalThis.WebSocket; Node 20 has none, pass that of the `ws` package */
  readonly WebSocket?: WebSocketConstructor;
  readonly reconnect?: BackoffOptions;
  /** After how many milliseconds of silence to ask whether the gateway is alive. @default what the gateway says in `welcome` */
  readonly pingIntervalMs?: number;
  /** How long an attempt may take up to the gateway's `welcome`, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** The largest frame that the gateway takes, in bytes. @default 1048576 (1 MiB) */
  readonly maxFrameBytes?: number;
  /** @default that of the browser */
  readonly connectivity?: Connectivity;
  /** For tests. @default the system's */
  readonly clock?: Clock;
  /** For tests: a number from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
}

export interface Settings {
  readonly url: () => string | Promise<string>;
  readonly WebSocket: WebSocketConstructor;
  readonly reconnect: Required<BackoffOptions>;
  readonly pingIntervalMs: number | undefined;
  readonly connectTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly connectivity: Connectivity;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Fills in the defaults. @throws TypeError | RangeError */
export function readOptions(options: ClientOptions): Settings {
  const { url, pingIntervalMs, connectTimeoutMs = 10_000, maxFrameBytes = DEFAULT_MAX_FRAME_BYTES } = options;
  const { minDelayMs = 500, maxDelayMs = 30_000, factor = 2 } = options.reconnect ?? {};
  if (typeof url === 'string') assertUrl(url);
  else if (typeof url !== 'function') throw new TypeError('url must be a string or a function that returns one');
  if (pingIntervalMs !== undefined) assertDuration('pingIntervalMs', pingIntervalMs);
  assertDuration('connectTimeoutMs', connectTimeoutMs);
  assertDuration('reconnect.minDelayMs', minDelayMs);
  assertDuration('reconnect.maxDelayMs', maxDelayMs);
  if (maxDelayMs < minDelayMs) throw new RangeError('reconnect.maxDelayMs must not be less than reconnect.minDelayMs');
  if (!(factor >= 1)) throw new RangeError('reconnect.factor must be at least 1');
  if (!(maxFrameBytes > 0)) throw new RangeError('maxFrameBytes must be more than 0');
  return {
    url: typeof url === 'string' ? () => url : url,
    WebSocket: findWebSocket(options.WebSocket),
    reconnect: { minDelayMs, maxDelayMs, factor },
    pingIntervalMs,
    connectTimeoutMs,
    maxFrameBytes,
    connectivity: options.connectivity ?? platformConnectivity,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}

/** @throws RangeError */
export function assertDuration(name: string, ms: number): void {
  if (!(ms > 0 && ms <= MAX_TIMER_MS)) throw new RangeError(`${name} must be more than 0 and at most ${MAX_TIMER_MS}`);
}

function assertUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'ws:' && parsed?.protocol !== 'wss:') {
    throw new TypeError(`url must begin with ws:// or wss://: ${JSON.stringify(url)}`);
  }
  if (parsed.hash !== '') throw new TypeError('url must have no fragment');
}
