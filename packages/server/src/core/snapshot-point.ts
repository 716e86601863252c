import { type LogPoint, PregonError } from '@pregon/protocol';
import type { Clock } from './clock.js';
import type { Log } from './log.js';
import type { EncodedSnapshot } from './snapshot.js';

/** How long a snapshot waits for the log to come as far as it does. */
const PATIENCE_MS = 5_000;

/**
 * Finds the point of the log that a snapshot stands for (invariant 6). The relay appends in the order of the sequence, so
 * everything up to the snapshot's sequence lies at or before the point of that event, and everything else behind it.
 */
export class SnapshotPoint {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * @param before the edge, as it was before the snapshot was asked for
   * @throws PregonError SNAPSHOT_UNAVAILABLE where the relay does not bring the log up to it in time; LOG_UNAVAILABLE
   */
  async find(snapshot: EncodedSnapshot, before: LogPoint): Promise<LogPoint> {
    const { sequence, source } = snapshot;
    // No event yet: whatever comes, comes after the edge.
    if (sequence === 0) return before;
    const deadline = this.#clock.now() + PATIENCE_MS;
    for (;;) {
      const point = await this.#log.locate(sequence, source);
      if (point) return point;
      if (snapshot.relayed !== undefined && snapshot.relayed >= sequence) return this.#afterAllDropped(before);
      const remaining = deadline - this.#clock.now();
      if (remaining <= 0) break;
      await this.#nextMove(remaining);
    }
    if (snapshot.relayed === undefined) return before;
    throw new PregonError('SNAPSHOT_UNAVAILABLE', 'the relay has not yet appended the events that the snapshot holds');
  }

  /** Called when the edge has moved. */
  edgeMoved(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** The log was given the event and no longer holds it: all that it has of this source came later. */
  async #afterAllDropped(before: LogPoint): Promise<LogPoint> {
    const floor = await this.#log.floor();
    return floor.offset > before.offset ? floor : before;
  }

  #nextMove(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        cancel();
        this.#waiting.delete(resume);
        resolve();
      };
      const cancel = this.#clock.after(withinMs, resume);
      this.#waiting.add(resume);
    });
  }
}
