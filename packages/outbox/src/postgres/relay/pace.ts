const WINDOW_MS = 500;
/** From this many events a window, NOTIFY costs more than it brings. */
const FAST = 100;
/** How long writers keep quiet when told to. */
export const QUIET_MS = 1_000;
const QUIET_POLL_MS = 5;

/**
 * Tells when writers should keep quiet.
 *
 * A transaction that notifies takes a lock over all databases of the server, before its commit is written and until after it: those that
 * notify commit one after another, each waiting for the disk alone. While events come so fast that the relay looks
 * again all the time anyway, that would be paid for nothing.
 *
 * @see https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/commands/async.c, PreCommit_Notify
 */
export class Pace {
  #windowStart = 0;
  #events = 0;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #tellAgainAt = Number.NEGATIVE_INFINITY;

  /** Nobody knows what writers were told before. */
  begin(now: number): void {
    this.#quietUntil = now + QUIET_MS;
  }

  /**
   * @param events those that were numbered just now
   * @param now milliseconds on a steady clock
   * @returns true where writers are to be told to keep quiet for the next {@link QUIET_MS}
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

  /** In how many milliseconds to look again; undefined where a notification will come. */
  restMs(now: number): number | undefined {
    // Whoever added while it was quiet commits a little later.
    return now < this.#quietUntil + QUIET_MS ? QUIET_POLL_MS : undefined;
  }
}
