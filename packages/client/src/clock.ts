/** The clock and timers of the client; tests pass their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `run` once, `ms` milliseconds from now. Returns a function that cancels the call. */
  after(ms: number, run: () => void): () => void;
}

/** The longest delay of a timer, in milliseconds: with a longer one, `setTimeout` fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
