import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until a test advances it; timers run in the order of their time, then of their start. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #skew = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now + this.#skew;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Advances by `ms`, and lets promises run in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await settle();
    }
    this.#now = end;
  }

  /** The time of day is set, or the device slept: `now` jumps, but timers do not, since they count running time. */
  jump(ms: number): void {
    this.#skew += ms;
  }
}

/** Lets all code run that waits only for promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
