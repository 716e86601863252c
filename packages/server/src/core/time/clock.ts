/** The longest delay of a timer, in milliseconds: Node.js runs a timer with a longer one after 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The timers of a clock. */
export interface Timers {
  /** Calls back once after at least `ms` milliseconds. @returns a function that cancels the timer */
  after(ms: number, callback: () => void): () => void;
}

/** The clock of the core. It is injected, so that tests are instant and exact. */
export interface Clock extends Timers {
  /** The time in milliseconds; it never goes back. */
  now(): number;
  /**
   * Calls back once after at least `ms` milliseconds, but does not keep the process alive.
   *
   * @returns a function that cancels the timer
   */
  after(ms: number, callback: () => void): () => void;
  /** Calls back once, in the next event loop turn. */
  nextTurn(callback: () => void): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  nextTurn(callback) {
    setImmediate(callback);
  },
};

/** Timers that keep the process alive: for a wait that must end even if the process has nothing else to do. */
export const waitingTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
