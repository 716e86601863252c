/** The rate is the mean over this many seconds. */
const WINDOW_S = 10;

/** The rate of events, in events per second. */
export class EventRate {
  /** The number of events in each second, by seconds since the Unix epoch. */
  readonly #counts = new Map<number, number>();

  /** @param now in milliseconds */
  add(count: number, now: number): void {
    const second = Math.floor(now / 1_000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + count);
    for (const old of this.#counts.keys()) if (old <= second - WINDOW_S) this.#counts.delete(old);
  }

  /** The mean over the last 10 s, in events per second. */
  at(now: number): number {
    const second = Math.floor(now / 1_000);
    let sum = 0;
    for (const [when, count] of this.#counts) if (when > second - WINDOW_S) sum += count;
    return sum / WINDOW_S;
  }
}
