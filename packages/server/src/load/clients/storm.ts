import type { StormResult } from '../result.js';
import type { Connections } from './connections.js';

/** All connections broken off at once; they come back at once, and are to miss nothing. */
export class Storm {
  readonly #connections: Connections;
  readonly #published: number;
  readonly #beganAt = performance.now();
  readonly #count: number;
  #openSeconds: number | undefined;
  #caughtUpSeconds: number | undefined;

  /** Begins. @param published the number of the next event: those before are to be caught up with */
  constructor(connections: Connections, published: number) {
    this.#connections = connections;
    this.#published = published;
    this.#count = connections.storm();
  }

  /** To be called again and again: looks how far it has come. */
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
