import type { Clock } from '../clock.js';

/** The maximum time for an answer to a ping, in milliseconds. */
const MAX_ANSWER_MS = 10_000;

export interface LivenessHooks {
  ping(): void;
  /** No frame arrived within the time for an answer. Called once, as the last call. */
  dead(): void;
}

/**
 * Detects a silent gateway. It sends a ping after `intervalMs` without a frame, and calls `dead` if no frame arrives
 * within another `intervalMs` (at most 10 s). Any frame is a sign of life, so a busy connection sends no pings.
 *
 * The decision depends on what arrives after the ping, never on the clock alone: a laptop that wakes from sleep pings
 * before it gives up.
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

  /** A frame arrived. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    if (!this.#awaiting) return;
    this.#awaiting = false;
    this.#wait(this.#intervalMs, () => this.#check());
  }

  /** Pings now, for example after a hint that the connection may be gone. */
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
    // If the clock was set back, `heardAt` lies in the future; the silence then counts from now.
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
