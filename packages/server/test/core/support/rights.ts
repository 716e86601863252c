import type { Rights } from '../../../src/core/ports/rights.js';

/** Rights to these topic patterns, and to nothing else. */
export function rights(subscribe: readonly string[], more: Partial<Rights> = {}): Rights {
  return {
    subscribe,
    send: new Set(),
    broadcast: false,
    publish: [],
    isService: false,
    key: subscribe.join(),
    ...more,
  };
}
