/** The most names with a counter of their own. Producers choose the names, and memory must stay bounded. */
const MOST_NAMES = 100;
const OTHER = 'other';

/** Counts by names that producers choose. Further names share the counter `other`. */
export class CountByName {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const isKnown = this.#counts.has(name) || this.#counts.size < MOST_NAMES;
    const counted = isKnown ? name : OTHER;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
