import type { Clock } from '../time/clock.js';

/** How much time the work for all clients may take in one event loop turn. */
const BUDGET_MS = 3;

/**
 * The most frames, and the most bytes of frames, that are handled for one client in one turn. The first frame may have
 * any size.
 */
const MOST_FRAMES = 16;
const MOST_BYTES = 16_384;

/**
 * Limits the time that a gateway spends on work caused by clients in one event loop turn: parsing frames, handlers,
 * broadcasts and answers, over all transports. If the budget is spent, work waits for a later turn, first come, first
 * served. So no client can delay events for the others. A piece of work is never interrupted: a turn takes at most the
 * budget and one piece more, so each piece must have a limit of its own.
 *
 * A transport checks {@link TurnBudget.isFree} before it handles a frame. If it is true, the transport wraps the work
 * in {@link TurnBudget.run}, and may handle more frames of the same client while {@link TurnBudget.mayGoOn} returns
 * true. Otherwise it stops reading from the client, and continues in the callback of {@link TurnBudget.wait}.
 */
export class TurnBudget {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #spentMs = 0;
  #isRunning = false;
  /** The time up to which the running work has been counted. */
  #since = 0;
  #isScheduled = false;
  #waiting: (() => void)[] = [];
  /** How many entries at the start of `#waiting` have been run. */
  #done = 0;
  /** The client whose frames were handled last in this turn, and how many frames and bytes of it were handled. */
  #client: object | undefined;
  #frames = 0;
  #bytes = 0;

  constructor(clock: Clock, budgetMs: number = BUDGET_MS) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
  }

  /** Whether work may begin in this turn: time is left, and no other work waits. */
  get isFree(): boolean {
    return !this.isSpent && this.#done === this.#waiting.length;
  }

  /** Whether the time of this turn is used up. For running work that can be continued later. */
  get isSpent(): boolean {
    return this.#spentMs >= this.#budgetMs;
  }

  /** Runs the work now, and counts its time. Nested calls are counted once. */
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

  /** Counts the time of the running work so far, so that {@link TurnBudget.isSpent} is up to date. */
  look(): void {
    if (!this.#isRunning) return;
    const now = this.#clock.now();
    this.#spentMs += now - this.#since;
    this.#since = now;
  }

  /**
   * Counts a handled frame.
   *
   * @returns whether the next frame of the same client may be handled in this turn as well
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

  /**
   * Calls back in a later turn, within {@link TurnBudget.run}, in the order of the calls. The callback must not throw.
   */
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
    // Work that calls `wait` again is queued behind the work that has not run yet.
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
