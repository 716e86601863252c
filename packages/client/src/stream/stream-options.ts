import type { Clock } from '../clock.js';
import type { Fetch } from '../reach/ask.js';

export interface EventSourceOptions {
  /**
   * Gives the token of the user. It is asked before each attempt, so that it can give a fresh one. Undefined or null
   * connects without a token. If it fails, or takes longer than `connectTimeoutMs`, the attempt fails, and another
   * follows.
   *
   * @default no token is sent
   */
  readonly token?: () => string | null | undefined | Promise<string | null | undefined>;
  /** Whether cookies are sent to a gateway of another origin. @default false */
  readonly withCredentials?: boolean;
  /** The time limit for the token and the answer of the gateway, each, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /**
   * The silence after which the stream counts as broken, in milliseconds. It must be more than the `heartbeatMs` of the
   * gateway. @default 60000
   */
  readonly silenceTimeoutMs?: number;
  /** @default globalThis.fetch */
  readonly fetch?: Fetch;
  /** For tests. @default the clock of the system */
  readonly clock?: Clock;
  /** For tests: a number from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
}
