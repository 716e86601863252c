import type { Clock } from '../clock.js';

/** The longest wait for an answer to a ping, in milliseconds. */
const MAX_ANSWER_MS = 10_000;

export interface LivenessHooks {
  ping(): void;
  /** Nothing came within the time for an answer. Called once; nothing is called after it. */
  dead(): void;
}

/**
 * Notices a gateway that is silent: a ping after `intervalMs` in which nothing came, and `dead` when nothing comes within
 * `intervalMs` more (10 s at most). Any frame is a sign of life, so a busy connection carries no ping.
 *
 * Its verdict rests on what came after the ping, never on the clock alone: a laptop that wakes from sleep asks before it gives up.
 */
export class Liveness {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #hooks: LivenessHooks;
  #heardAt: number;
  #awaiting = false;
  #cancel: () => void;

  constructor(clock: Clock, intervalMs: number, hooks: LivenessHooks) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#hooks = hooks;
    this.#heardAt = clock.now();
    this.#cancel = clock.after(intervalMs, () => this.#check());
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    if (!this.#awaiting) return;
    this.#awaiting = false;
    this.#wait(this.#intervalMs, () => this.#check());
  }

  /** Asks now, as after a hint that the connection may be gone. */
  probe(answerMs: number = this.#answerMs()): void {
    if (this.#awaiting) return;
    this.#awaiting = true;
    this.#wait(answerMs, () => this.#hooks.dead());
    this.#hooks.ping();
  }

  stop(): void {
    this.#cancel();
  }

  #check(): void {
    const now = this.#clock.now();
    // Where the clock was set back, what was heard lies in the future: the silence counts from here.
    this.#heardAt = Math.min(this.#heardAt, now);
    const idleMs = now - this.#heardAt;
    if (idleMs < this.#intervalMs) this.#wait(this.#intervalMs - idleMs, () => this.#check());
    else this.probe();
  }

  #answerMs(): number {
    return Math.min(this.#intervalMs, MAX_ANSWER_MS);
  }

  #wait(ms: number, then: () => void): void {
    this.#cancel();
    this.#cancel = this.#clock.after(ms, then);
  }
}
