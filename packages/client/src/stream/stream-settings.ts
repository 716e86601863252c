import { Backoff } from '../backoff.js';
import { type Clock, MAX_TIMER_MS, systemClock } from '../clock.js';
import type { Fetch } from '../reach/ask.js';
import type { EventSourceOptions } from './stream-options.js';

export interface StreamSettings {
  readonly token: () => unknown;
  readonly credentials: 'include' | 'same-origin';
  readonly connectTimeoutMs: number;
  readonly silenceTimeoutMs: number;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly backoff: Backoff;
}

const DELAYS = { minDelayMs: 500, maxDelayMs: 30_000, factor: 2 };

/** Fills in the defaults. @throws TypeError | RangeError */
export function readStreamOptions(options: EventSourceOptions): StreamSettings {
  const { token = () => undefined, withCredentials = false, fetch = globalThis.fetch } = options;
  const { connectTimeoutMs = 10_000, silenceTimeoutMs = 60_000 } = options;
  if (typeof token !== 'function') throw new TypeError('token must be a function that returns the token');
  for (const [name, ms] of Object.entries({ connectTimeoutMs, silenceTimeoutMs })) {
    if (!(ms > 0 && ms <= MAX_TIMER_MS)) throw new RangeError(`${name} must be from 1 to ${MAX_TIMER_MS} milliseconds`);
  }
  return {
    token,
    credentials: withCredentials ? 'include' : 'same-origin',
    connectTimeoutMs,
    silenceTimeoutMs,
    fetch: (url, init) => fetch(url, init),
    clock: options.clock ?? systemClock,
    backoff: new Backoff(DELAYS, options.random ?? Math.random),
  };
}
