import { type Entries, largest } from './counts.js';

/** What is open now, by key: in this process, and in the other processes. */
export class SharedGauge {
  readonly #own = new Map<string, number>();
  readonly #onChange: () => void;
  #others: ReadonlyMap<string, number> = new Map();
  /** Larger counts are shared. */
  shareAbove = Number.POSITIVE_INFINITY;
  /** Whether the counts of the other processes may have become wrong, and are left out. */
  isStale = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Whether this process, or another one, has a count that is shared. */
  get isEmpty(): boolean {
    return this.isOwnEmpty && (this.isStale || this.#others.size === 0);
  }

  get isOwnEmpty(): boolean {
    return this.#own.size === 0;
  }

  /** @param count the new count of this process */
  set(key: string, count: number): void {
    if (count > this.shareAbove) this.#own.set(key, count);
    else if (!this.#own.delete(key)) return;
    this.#onChange();
  }

  /** The count of the other processes together. */
  others(key: string): number {
    return this.isStale ? 0 : (this.#others.get(key) ?? 0);
  }

  report(): Entries {
    return largest(this.#own);
  }

  hear(others: Entries): void {
    this.#others = new Map(others);
  }
}
