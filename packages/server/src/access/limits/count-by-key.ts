/** Counts by key. A key whose count is 0 takes no memory. */
export class CountByKey {
  readonly #counts = new Map<string, number>();

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.get(key) + 1);
  }

  remove(key: string): void {
    const count = this.get(key) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }

  get size(): number {
    return this.#counts.size;
  }

  *[Symbol.iterator](): Iterator<readonly [string, number]> {
    yield* this.#counts;
  }
}
