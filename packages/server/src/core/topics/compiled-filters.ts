import { CompiledFilter } from './compiled-filter.js';
import type { Filter } from './filter.js';

/** The most words in all patterns that are kept compiled: about 20 MB. */
const KEPT_WORDS = 200_000;

/**
 * A cache of compiled filters for subscriptions behind the edge; the least recently used ones are dropped. A subscription does not keep
 * its own compiled filter: most subscriptions are at the edge, and the memory of each connection would double.
 */
export class CompiledFilters {
  /** By key, the least recently used first. */
  readonly #kept = new Map<string, { readonly compiled: CompiledFilter; readonly words: number }>();
  #words = 0;

  get(filter: Filter): CompiledFilter {
    const kept = this.#kept.get(filter.key);
    if (kept) {
      this.#kept.delete(filter.key);
      this.#kept.set(filter.key, kept);
      return kept.compiled;
    }
    const compiled = new CompiledFilter(filter);
    const { words } = filter.cost;
    this.#kept.set(filter.key, { compiled, words });
    this.#words += words;
    this.#dropOldest();
    return compiled;
  }

  #dropOldest(): void {
    for (const [key, { words }] of this.#kept) {
      if (this.#words <= KEPT_WORDS) return;
      this.#kept.delete(key);
      this.#words -= words;
    }
  }
}
