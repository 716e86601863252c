import type { Clock } from '../../../src/core/time/clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until the test advances it; the test also runs the turns of the event loop. */
export class FakeClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];
  #turns: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  nextTurn(run: () => void): void {
    this.#turns.push(run);
  }

  get timers(): number {
    return this.#timers.length;
  }

  get turns(): number {
    return this.#turns.length;
  }

  /** Runs the callbacks of the next turn now; callbacks that they request wait for the turn after it. */
  turn(): void {
    const turns = this.#turns;
    this.#turns = [];
    for (const run of turns) run();
  }

  /** Advances by `ms`; timers run in the order of their time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = due.at;
      due.run();
    }
    this.#now = end;
  }

  /** Advances by `ms` and runs no timer, as if the process had been suspended. */
  suspend(ms: number): void {
    this.#now += ms;
  }

  /** Runs promises, the log's own turns and those of this clock until only timers are left. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 4; ) {
      await eventLoopTurn();
      if (this.#turns.length === 0) {
        idle += 1;
        continue;
      }
      idle = 0;
      this.turn();
    }
  }
}

/** One turn of the real event loop, with all promises that can continue. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
