import { CompiledFilter } from './compiled-filter.js';
import type { Filter } from './filter.js';

/** The most words in the patterns of all cached filters: about 20 MB. */
const KEPT_WORDS = 200_000;

/**
 * An LRU cache of compiled filters for subscriptions behind the edge. A subscription does not keep a compiled filter of
 * its own: most subscriptions are at the edge and need none, and it would double the memory of a connection.
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
