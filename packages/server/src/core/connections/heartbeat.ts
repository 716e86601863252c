import { toError } from '@pregon/protocol';
import type { Clock } from '../time/clock.js';

/**
 * The number of groups of connections. Groups are visited at different times, so that not all connections are written
 * to at once.
 */
const GROUPS = 8;

/** A connection of any kind. */
export interface Visited {
  heartbeat(now: number, heartbeatMs: number, stallTimeoutMs: number): void;
  failed(error: Error): void;
}

/** Visits every connection once in `heartbeatMs` milliseconds, with one timer for all. */
export class Heartbeat {
  readonly #groups: Set<Visited>[] = Array.from({ length: GROUPS }, () => new Set());
  readonly #heartbeatMs: number;
  readonly #stallTimeoutMs: number;
  readonly #clock: Clock;
  #next = 0;
  #cancel: () => void;

  constructor(heartbeatMs: number, stallTimeoutMs: number, clock: Clock) {
    this.#heartbeatMs = heartbeatMs;
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#clock = clock;
    this.#cancel = clock.after(heartbeatMs / GROUPS, () => this.#visit());
  }

  add(connection: Visited): void {
    // The group that was visited last: the first heartbeat comes after a whole interval.
    this.#groups[(this.#next + GROUPS - 1) % GROUPS]?.add(connection);
  }

  delete(connection: Visited): void {
    for (const group of this.#groups) if (group.delete(connection)) return;
  }

  stop(): void {
    this.#cancel();
  }

  #visit(): void {
    const group = this.#groups[this.#next];
    this.#next = (this.#next + 1) % GROUPS;
    this.#cancel = this.#clock.after(this.#heartbeatMs / GROUPS, () => this.#visit());
    const now = this.#clock.now();
    for (const connection of group ?? []) {
      try {
        connection.heartbeat(now, this.#heartbeatMs, this.#stallTimeoutMs);
      } catch (error) {
        connection.failed(toError(error));
      }
    }
  }
}
