import { type Entries, largest } from './counts.js';

/** The most keys with uses between two reports; some 2 MB. Further keys are not shared in that time. */
const MOST_KEYS = 20_000;

/** What was used since the last report, by key: for rates that several processes share. */
export class SharedUses {
  readonly #own = new Map<string, number>();
  readonly #onChange: () => void;
  /** Larger counts of one period are shared. */
  shareAbove = Number.POSITIVE_INFINITY;
  /** Called for what the other processes have used. */
  onOthers: (key: string, count: number) => void = () => {};

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get isEmpty(): boolean {
    return this.#own.size === 0;
  }

  /** Counts one use in this process. */
  add(key: string): void {
    if (this.shareAbove === Number.POSITIVE_INFINITY) return;
    const count = this.#own.get(key) ?? 0;
    if (count === 0 && this.#own.size >= MOST_KEYS) return;
    this.#own.set(key, count + 1);
    if (this.#own.size === 1) this.#onChange();
  }

  /** What is shared of the uses since the last call. */
  take(): Entries {
    const shared = largest(this.#own).filter(([, count]) => count > this.shareAbove);
    this.#own.clear();
    return shared;
  }

  hear(others: Entries): void {
    for (const [key, count] of others) this.onOthers(key, count);
  }
}
