import type { Clock } from '../../core/clock.js';

/** How many may be about to say their first words without being held, and how many who are held are heard in one turn of the event loop. */
const AT_ONCE = 16;

/** How often those who are held are looked at while none of them has said anything. */
const LOOK_MS = 5;

/** After how long one who is held, and says nothing, is held no longer. */
const PATIENCE_MS = 5_000;

/** One who came in and is expected to say what it wants. */
export interface Newcomer {
  /** Whether it has said something that was not listened to yet. */
  readonly hasSpoken: boolean;
  /** Whether to listen to it. */
  setHeld(held: boolean): void;
}

/**
 * Listens to those who came in lately, a few in each turn of the event loop. Thousands who come back are let in at a pace, but what they
 * say then may become readable in one turn, by chance or because their network stalled, and to listen to all of it, one after the other,
 * would hold up the events of everybody else. So from the 17th on who has said nothing yet, those who come in are held, in order: nothing is
 * read from them but what Node.js has read ahead, until it is their turn.
 */
export class FirstWords {
  readonly #clock: Clock;
  /** Since when; in order. */
  readonly #listenedTo = new Map<Newcomer, number>();
  readonly #held = new Map<Newcomer, number>();
  /** Whether it will be looked who has spoken. */
  #looking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who came in; to be told when it has spoken, or left. */
  expect(newcomer: Newcomer): void {
    const now = this.#clock.now();
    for (const [silent, since] of this.#listenedTo) {
      if (now - since < PATIENCE_MS) break;
      this.#listenedTo.delete(silent);
    }
    if (this.#held.size === 0 && this.#listenedTo.size < AT_ONCE) {
      this.#listenedTo.set(newcomer, now);
      return;
    }
    newcomer.setHeld(true);
    this.#held.set(newcomer, now);
    if (!this.#looking) this.#clock.nextTurn(() => this.#look());
    this.#looking = true;
  }

  /** It said something, or is gone. */
  delete(newcomer: Newcomer): void {
    if (!this.#listenedTo.delete(newcomer)) this.#held.delete(newcomer);
  }

  #look(): void {
    const now = this.#clock.now();
    let left = AT_ONCE;
    for (const [newcomer, since] of this.#held) {
      if (!newcomer.hasSpoken && now - since < PATIENCE_MS) continue;
      this.#held.delete(newcomer);
      newcomer.setHeld(false);
      left -= 1;
      if (left === 0) break;
    }
    this.#looking = this.#held.size > 0;
    if (!this.#looking) return;
    if (left === AT_ONCE) this.#clock.after(LOOK_MS, () => this.#look());
    else this.#clock.nextTurn(() => this.#look());
  }
}
