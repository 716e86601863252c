import type { Chunk } from './chunk.js';
import type { Clock } from './clock.js';

/**
 * For how long those who are behind may keep one turn of the event loop. As much as that is added to the delay of those who are not, while
 * thousands come back.
 */
const TURN_MS = 1;

/** Somebody who is behind. */
interface Behind {
  /** @param read the chunk that it had when it had to wait */
  advance(read?: Chunk): void;
}

/**
 * Shares out the turns of the event loop among all who are behind: who comes back, and who reads slowly. First come, first served, and no
 * longer than {@link TURN_MS} in each turn, so that new events are read and flushed between.
 */
export class CatchingUp {
  readonly #clock: Clock;
  /** In order, each with the chunk that it was about to take. */
  readonly #waiting = new Map<Behind, Chunk | undefined>();
  /** When nobody takes any more in this turn; undefined where nobody has yet. */
  #turnEnds: number | undefined;
  #advancing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one who is behind may take a chunk now; if not, it has to wait. */
  get isFree(): boolean {
    const now = this.#clock.now();
    const ends = this.#turnEnds ?? this.#begin(now);
    return now < ends && (this.#advancing || this.#waiting.size === 0);
  }

  /** It goes on when those have who came before. */
  wait(behind: Behind, read: Chunk | undefined): void {
    this.#waiting.set(behind, read);
    if (this.#turnEnds === undefined) this.#begin(this.#clock.now());
  }

  delete(behind: Behind): void {
    this.#waiting.delete(behind);
  }

  #begin(now: number): number {
    const ends = now + TURN_MS;
    this.#turnEnds = ends;
    this.#clock.nextTurn(() => this.#turn());
    return ends;
  }

  #turn(): void {
    this.#turnEnds = undefined;
    if (this.#waiting.size === 0) return;
    const ends = this.#begin(this.#clock.now());
    let left = this.#waiting.size;
    this.#advancing = true;
    for (const [behind, read] of this.#waiting) {
      this.#waiting.delete(behind);
      behind.advance(read);
      left -= 1;
      if (left === 0 || this.#clock.now() >= ends) break;
    }
    this.#advancing = false;
  }
}
