import type { StormResult } from '../result.js';
import type { Connections } from './connections.js';

/** A reconnect storm: all connections are dropped at once and reconnect at once. No event may be missing. */
export class Storm {
  readonly #connections: Connections;
  readonly #published: number;
  readonly #beganAt = performance.now();
  readonly #count: number;
  #openSeconds: number | undefined;
  #caughtUpSeconds: number | undefined;

  /** Starts the storm. @param published the number of the next event: all earlier events must arrive */
  constructor(connections: Connections, published: number) {
    this.#connections = connections;
    this.#published = published;
    this.#count = connections.storm();
  }

  /** Checks the progress; must be called repeatedly. */
  look(): void {
    if (this.#caughtUpSeconds !== undefined || this.#connections.open < this.#count) return;
    const seconds = (performance.now() - this.#beganAt) / 1_000;
    this.#openSeconds ??= seconds;
    if (this.#connections.complete(this.#published)) this.#caughtUpSeconds = seconds;
  }

  get result(): StormResult {
    return { connections: this.#count, openSeconds: this.#openSeconds, caughtUpSeconds: this.#caughtUpSeconds };
  }
}
