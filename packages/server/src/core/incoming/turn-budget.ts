import type { Clock } from '../time/clock.js';

/** How much time the work for all clients may take in one turn of the event loop. */
const BUDGET_MS = 3;

/** How many frames, and how many bytes of them, one client may have handled in one turn. The first is handled whatever its size. */
const MOST_FRAMES = 16;
const MOST_BYTES = 16_384;

/**
 * The time that a gateway spends on what clients cause, in one turn of the event loop, over all transports: parsing what they send,
 * handlers, broadcasts, answers. Work that finds the budget spent waits for a later turn, first come, first served, so that no client
 * can hold up events for the others. One piece of work is never interrupted: a turn takes at most the budget and one piece more, so
 * each piece must be limited by itself.
 *
 * A transport asks {@link TurnBudget.isFree} before it handles a frame. If the answer is yes, it wraps the work in
 * {@link TurnBudget.run}, and may go on with the same client as long as {@link TurnBudget.mayGoOn} says so. Otherwise it stops reading
 * from the client, and goes on in the callback of {@link TurnBudget.wait}.
 */
export class TurnBudget {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #spentMs = 0;
  #isRunning = false;
  /** Since when the work that goes on has not been counted. */
  #since = 0;
  #isScheduled = false;
  #waiting: (() => void)[] = [];
  /** How many at the start of the list have had their place. */
  #done = 0;
  /** The client whose frames were handled last in this turn, and how much of them. */
  #client: object | undefined;
  #frames = 0;
  #bytes = 0;

  constructor(clock: Clock, budgetMs: number = BUDGET_MS) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
  }

  /** Whether work may begin in this turn: there is time left, and nobody else waits for it. */
  get isFree(): boolean {
    return !this.isSpent && this.#done === this.#waiting.length;
  }

  /** Whether the time of this turn is used up: for work that was begun and can be continued later. */
  get isSpent(): boolean {
    return this.#spentMs >= this.#budgetMs;
  }

  /** Does the work now, and counts the time that it takes. Within other counted work it is counted once. */
  run<Result>(work: () => Result): Result {
    if (this.#isRunning) return work();
    this.#schedule();
    this.#isRunning = true;
    this.#since = this.#clock.now();
    try {
      return work();
    } finally {
      this.look();
      this.#isRunning = false;
    }
  }

  /** Counts what the work that goes on has taken so far, so that it learns whether the turn is spent. */
  look(): void {
    if (!this.#isRunning) return;
    const now = this.#clock.now();
    this.#spentMs += now - this.#since;
    this.#since = now;
  }

  /**
   * Counts a frame that was handled.
   *
   * @returns whether the next frame of the same client may be handled in this turn too
   */
  mayGoOn(client: object, bytes: number): boolean {
    if (client !== this.#client) {
      this.#client = client;
      this.#frames = 0;
      this.#bytes = 0;
      this.#schedule();
    }
    this.#frames += 1;
    this.#bytes += bytes;
    return this.#frames < MOST_FRAMES && this.#bytes < MOST_BYTES && this.isFree;
  }

  /** Calls back in a later turn, within {@link TurnBudget.run}, when it is this one's place. The callback must not throw. */
  wait(work: () => void): void {
    this.#waiting.push(work);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.nextTurn(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isScheduled = false;
    this.#spentMs = 0;
    this.#client = undefined;
    const end = this.#waiting.length;
    if (this.#done === end) return;
    this.#schedule();
    // Work that waits again has its place behind those that have not had a turn.
    while (this.#done < end && !this.isSpent) {
      const work = this.#waiting[this.#done];
      this.#done += 1;
      if (work) this.run(work);
    }
    if (this.#done < this.#waiting.length / 2) return;
    this.#waiting = this.#waiting.slice(this.#done);
    this.#done = 0;
  }
}
