import type { Clock } from '../../core/time/clock.js';

/**
 * How many new clients may be read from without being held, and how many held clients are released in one event loop
 * turn.
 */
const AT_ONCE = 16;

/** The interval, in milliseconds, at which held clients are checked while none of them has sent data. */
const LOOK_MS = 5;

/**
 * How many held clients are checked in one turn: checking ten thousand silent clients would cost more than reading from
 * some.
 */
const MOST_LOOKS = 512;

/** How long a silent client is held, in milliseconds. */
const MAX_HOLD_MS = 2_000;

/** A client that has connected and must send its first frame. */
export interface NewClient {
  /** Whether data has arrived that was not read yet. */
  readonly hasSentData: boolean;
  /** Stops or resumes reading from the client. */
  setHeld(held: boolean): void;
}

/**
 * Reads the first frames of new clients, a few in each event loop turn. Handshakes are paced, but the first frames of
 * thousands of returning clients can become readable in one turn, by chance or because their network stalled. Handling
 * all of them one after the other would delay events for everybody else. So if 16 new clients have not sent a frame
 * yet, further ones are held, in order of arrival. From a held client, nothing is read beyond what Node.js has already
 * buffered.
 */
export class FirstFrameLimit {
  readonly #clock: Clock;
  /** Clients and the time when they connected, in order of arrival. */
  readonly #listenedTo = new Map<NewClient, number>();
  readonly #held = new Map<NewClient, number>();
  /** True while a check of the held clients is scheduled. */
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a client that has connected. Call {@link FirstFrameLimit.delete} when it has sent a frame or has left. */
  expect(client: NewClient): void {
    const now = this.#clock.now();
    for (const [silent, since] of this.#listenedTo) {
      if (now - since < MAX_HOLD_MS) break;
      this.#listenedTo.delete(silent);
    }
    if (this.#held.size === 0 && this.#listenedTo.size < AT_ONCE) {
      this.#listenedTo.set(client, now);
      return;
    }
    client.setHeld(true);
    this.#held.set(client, now);
    if (!this.#looking) this.#clock.nextTurn(() => this.#look());
    this.#looking = true;
  }

  /** Removes a client that has sent a frame or has left. */
  delete(client: NewClient): void {
    if (!this.#listenedTo.delete(client)) this.#held.delete(client);
  }

  #look(): void {
    const now = this.#clock.now();
    const all = this.#held.size <= MOST_LOOKS;
    let looks = all ? this.#held.size : MOST_LOOKS;
    let left = AT_ONCE;
    for (const [client, since] of this.#held) {
      if (looks === 0 || left === 0) break;
      looks -= 1;
      const isSilent = !client.hasSentData && now - since < MAX_HOLD_MS;
      if (isSilent && all) continue;
      this.#held.delete(client);
      // Moved to the end, so that the other clients are checked too.
      if (isSilent) this.#held.set(client, since);
      else {
        client.setHeld(false);
        left -= 1;
      }
    }
    this.#looking = this.#held.size > 0;
    if (!this.#looking) return;
    if (left === AT_ONCE) this.#clock.after(LOOK_MS, () => this.#look());
    else this.#clock.nextTurn(() => this.#look());
  }
}
