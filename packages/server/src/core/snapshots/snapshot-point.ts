import { type LogPoint, PregonError } from '@pregon/protocol';
import type { Log } from '../ports/log.js';
import type { Clock } from '../time/clock.js';
import type { EncodedSnapshot } from './encoded-snapshot.js';

/** How long a snapshot waits until the log contains its sequence. */
const PATIENCE_MS = 5_000;

/**
 * Finds the point of the log that a snapshot stands for (invariant 6). The relay appends in the order of the sequence.
 * So all events up to the snapshot's sequence are at or before the point of that event, and all later ones are after
 * it.
 */
export class SnapshotPoint {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #moves = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * @throws PregonError SNAPSHOT_UNAVAILABLE if the relay does not append the event of the sequence in time;
   *   LOG_UNAVAILABLE
   */
  async find(snapshot: EncodedSnapshot): Promise<LogPoint> {
    const { sequence, source, before } = snapshot;
    // The source has no event yet: any event comes after the edge.
    if (sequence === 0) return before;
    const deadline = this.#clock.now() + PATIENCE_MS;
    for (;;) {
      const moves = this.#moves;
      const point = await this.#log.locate(sequence, source);
      if (point) return point;
      if (snapshot.relayed !== undefined && snapshot.relayed >= sequence) return this.#afterDropped(before);
      const remaining = deadline - this.#clock.now();
      if (remaining <= 0) break;
      // If the edge moved during the look-up, the answer may be out of date.
      if (moves === this.#moves) await this.#nextMove(remaining);
    }
    if (snapshot.relayed === undefined) return before;
    throw new PregonError('SNAPSHOT_UNAVAILABLE', 'the relay has not yet appended the events that the snapshot holds');
  }

  /**
   * Whether the log is still the one that the hub reads. If retention has dropped the edge, it cannot tell: a new log
   * that has dropped the same offset gives the same answer. Then it waits until the edge moves.
   *
   * @param edge the edge of the hub at the moment of the call
   * @throws PregonError SNAPSHOT_UNAVAILABLE if the edge does not move in time; LOG_UNAVAILABLE
   */
  async isInLogWith(edge: () => LogPoint): Promise<boolean> {
    const deadline = this.#clock.now() + PATIENCE_MS;
    for (;;) {
      const moves = this.#moves;
      const presence = await this.#log.check(edge());
      if (presence !== 'truncated') return presence === 'present';
      const remaining = deadline - this.#clock.now();
      if (remaining <= 0) break;
      if (moves === this.#moves) await this.#nextMove(remaining);
    }
    throw new PregonError('SNAPSHOT_UNAVAILABLE', 'the log dropped events before the gateway had read them');
  }

  /** Called when the edge has moved. */
  edgeMoved(): void {
    this.#moves += 1;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /**
   * The event was appended, and the log has dropped it. It is before the floor, and all events that the rows lack are
   * after `before`.
   */
  async #afterDropped(before: LogPoint): Promise<LogPoint> {
    const floor = await this.#log.floor();
    if (floor.offset <= before.offset) return before;
    // Between the two there may have been both events that the rows include and events that they lack.
    throw new PregonError('SNAPSHOT_UNAVAILABLE', 'the log dropped events while the snapshot was read');
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
