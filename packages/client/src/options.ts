import { DEFAULT_MAX_FRAME_BYTES } from '@pregon/protocol';
import type { BackoffOptions } from './backoff.js';
import { type Clock, MAX_TIMER_MS, systemClock } from './clock.js';
import { type Connectivity, platformConnectivity } from './connection/connectivity.js';
import { findWebSocket, type WebSocketConstructor } from './connection/web-socket.js';
import type { Fetch } from './reach/ask.js';
import { webSocketUrl } from './reach/url.js';

export type GatewayUrl = string | URL;

/** The token of a user; null or undefined if nobody has signed in. */
export type Token = string | null | undefined;

export interface ClientOptions {
  /**
   * The URL of a route of the gateway, as `new WebSocket` accepts it: `ws://localhost:1234/events`,
   * `https://example.com/events`, or `/events` in a page. A function is called before each attempt. If it fails,
   * the attempt fails. A gateway refuses a token in the URL.
   */
  readonly url: GatewayUrl | (() => GatewayUrl | Promise<GatewayUrl>);
  /**
   * Returns the token of the user. It is called before each attempt, some time before the token expires, and by
   * `authorize()`. It should return a fresh token each time. If it fails or takes longer than `connectTimeoutMs`, the
   * attempt fails.
   *
   * @default no token
   */
  readonly token?: () => Token | Promise<Token>;
  /** @default globalThis.WebSocket; Node.js 20 has none, so pass the one of the `ws` package */
  readonly WebSocket?: WebSocketConstructor;
  /**
   * Sends a plain request to the gateway after a failed attempt, because browsers hide the reason of the failure.
   *
   * @default globalThis.fetch; none if `WebSocket` is given, because the `ws` package reports the reason
   */
  readonly fetch?: Fetch;
  readonly reconnect?: BackoffOptions;
  /**
   * The silence after which the client pings the gateway, in milliseconds.
   * @default the interval in the gateway's `welcome`
   */
  readonly pingIntervalMs?: number;
  /** The time limit for an attempt, up to the gateway's `welcome`, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** The largest frame that the gateway accepts, in bytes. @default 1048576 (1 MiB) */
  readonly maxFrameBytes?: number;
  /**
   * Reports the network of the device and the visibility of the page.
   * @default the browser; in Node.js, always online and visible
   */
  readonly connectivity?: Connectivity;
  /** For tests. @default the clock of the system */
  readonly clock?: Clock;
  /** For tests: a number from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
}

export interface Settings {
  readonly url: () => GatewayUrl | Promise<GatewayUrl>;
  readonly token: ClientOptions['token'];
  readonly WebSocket: WebSocketConstructor;
  readonly fetch: Fetch | undefined;
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
  const { url, token, pingIntervalMs, connectTimeoutMs = 10_000, maxFrameBytes = DEFAULT_MAX_FRAME_BYTES } = options;
  const { minDelayMs = 500, maxDelayMs = 5_000, factor = 2 } = options.reconnect ?? {};
  const { hiddenMaxDelayMs = Math.max(30_000, maxDelayMs) } = options.reconnect ?? {};
  if (typeof url !== 'function') webSocketUrl(url);
  if (token && typeof token !== 'function') throw new TypeError('token must be a function');
  const durations = { connectTimeoutMs, pingIntervalMs, minDelayMs, maxDelayMs, hiddenMaxDelayMs };
  for (const [name, ms] of Object.entries(durations)) if (ms !== undefined) assertDuration(name, ms);
  if (!(minDelayMs <= maxDelayMs && maxDelayMs <= hiddenMaxDelayMs)) {
    throw new RangeError('reconnect must have minDelayMs <= maxDelayMs <= hiddenMaxDelayMs');
  }
  if (!(factor >= 1)) throw new RangeError('reconnect.factor must be at least 1');
  if (!(maxFrameBytes > 0)) throw new RangeError('maxFrameBytes must be more than 0');
  return {
    url: typeof url === 'function' ? url : () => url,
    token,
    WebSocket: findWebSocket(options.WebSocket),
    fetch: options.fetch ?? (options.WebSocket === undefined ? globalThis.fetch : undefined),
    reconnect: { minDelayMs, maxDelayMs, hiddenMaxDelayMs, factor },
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
