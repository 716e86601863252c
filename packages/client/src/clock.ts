/** Time as the client uses it; a test hands in one of its own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `run` once, `ms` milliseconds from now. Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** The longest delay of a timer, in milliseconds: beyond it `setTimeout` fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
