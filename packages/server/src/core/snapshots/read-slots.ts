import { PregonError } from '@pregon/protocol';
import type { Timers } from '../time/clock.js';
import { Semaphore } from '../time/semaphore.js';

/** How many snapshots of a route are read at the same time: the application's database must not be flooded. */
const READS_AT_ONCE = 8;

/** How many further reads wait. */
const MOST_WAITING = 1_000;

/** How long a read waits for its turn, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Limits the reads of snapshots that run at the same time, and those that wait for their turn. */
export class ReadSlots {
  readonly #semaphore = new Semaphore(READS_AT_ONCE);
  /** Includes those that were given up, until their turn comes. */
  #waiting = 0;

  /**
   * Calls `read` as soon as there is room: at once, if there is.
   *
   * @throws PregonError SNAPSHOT_UNAVAILABLE if there is no room in time; the error of `read`
   */
  async run<Result>(read: () => Promise<Result>, timers: Timers): Promise<Result> {
    if (this.#waiting >= MOST_WAITING) {
      throw new PregonError('SNAPSHOT_UNAVAILABLE', `${MOST_WAITING} other snapshots wait to be read`);
    }
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const cancel = timers.after(PATIENCE_MS, () => {
        isLate = true;
        const message = `${READS_AT_ONCE} snapshots were being read for ${PATIENCE_MS} ms, so this one was not begun`;
        reject(new PregonError('SNAPSHOT_UNAVAILABLE', message));
      });
      this.#semaphore.take((done) => {
        this.#waiting -= 1;
        cancel();
        if (isLate) return done();
        void read().then(resolve, reject).finally(done);
      });
    });
  }
}
