import type { Clock } from '../../core/time/clock.js';

/** How many may be about to say their first words without being held, and how many who are held are heard in one turn of the event loop. */
const AT_ONCE = 16;

/** How often those who are held are looked at while none of them has said anything. */
const LOOK_MS = 5;

/** How many who are held are looked at in one turn: all of ten thousand who say nothing would cost more than to listen to some. */
const MOST_LOOKS = 512;

/** After how long one who is held, and says nothing, is held no longer. */
const MAX_HOLD_MS = 2_000;

/** One who came in and is expected to say what it wants. */
export interface NewClient {
  /** Whether it has said something that was not listened to yet. */
  readonly hasSentData: boolean;
  /** Whether to listen to it. */
  setHeld(held: boolean): void;
}

/**
 * Listens to those who came in lately, a few in each turn of the event loop. Thousands who come back are let in at a pace, but what they
 * say then may become readable in one turn, by chance or because their network stalled, and to listen to all of it, one after the other,
 * would hold up the events of everybody else. So from the 17th on who has said nothing yet, those who come in are held, in order: nothing is
 * read from them but what Node.js has read ahead, until it is their turn.
 */
export class FirstFrameLimit {
  readonly #clock: Clock;
  /** Since when; in order. */
  readonly #listenedTo = new Map<NewClient, number>();
  readonly #held = new Map<NewClient, number>();
  /** True while a check for guests that have spoken is scheduled. */
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who came in; to be told when it has spoken, or left. */
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

  /** It said something, or is gone. */
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
      // To the end, so that the others have their look.
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
