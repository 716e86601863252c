const WINDOW_MS = 500;
/** From this number of events per window, NOTIFY costs more than it saves. */
const FAST = 100;
/** The time for which writers stay quiet after each request. */
export const QUIET_MS = 1_000;
const QUIET_POLL_MS = 5;

/**
 * Decides when writers should not notify.
 *
 * A transaction that notifies takes a lock over all databases of the server, from before its commit is written until
 * after it. So such transactions commit one after another, each waiting for the disk alone. While events arrive so fast
 * that the relay reads all the time anyway, this cost brings no benefit.
 *
 * @see https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/commands/async.c, PreCommit_Notify
 */
export class Pace {
  #windowStart = 0;
  #events = 0;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #tellAgainAt = Number.NEGATIVE_INFINITY;

  /** Starts a term of the relay. It is unknown what writers were told before, so they may be quiet. */
  begin(now: number): void {
    this.#quietUntil = now + QUIET_MS;
  }

  /**
   * @param events the number of events that were just numbered
   * @param now milliseconds on a monotonic clock
   * @returns true if writers must be told to stay quiet for the next {@link QUIET_MS}
   */
  note(events: number, now: number): boolean {
    if (now - this.#windowStart > WINDOW_MS) {
      this.#windowStart = now;
      this.#events = 0;
    }
    this.#events += events;
    if (this.#events < FAST || now < this.#tellAgainAt) return false;
    this.#tellAgainAt = now + QUIET_MS / 2;
    this.#quietUntil = now + QUIET_MS;
    return true;
  }

  /** Returns after how many milliseconds to read again; undefined if notifications will come. */
  restMs(now: number): number | undefined {
    // A writer that did not notify may commit a little after the quiet period.
    return now < this.#quietUntil + QUIET_MS ? QUIET_POLL_MS : undefined;
  }
}
