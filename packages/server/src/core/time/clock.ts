/** The part of a clock that calls back later. */
export interface Timers {
  /** Calls back once after at least `ms` milliseconds; the result cancels. */
  after(ms: number, callback: () => void): () => void;
}

/** Time as the core sees it; handed in, so that tests are instant and exact. */
export interface Clock extends Timers {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once after at least `ms` milliseconds; the result cancels. Never keeps a process alive. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back once, after what the event loop has in hand now. */
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

/** Timers that keep the process alive: for a wait that must reach its end although nothing else is left to do. */
export const waitingTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
