import { matchesTopic } from '@pregon/protocol';
import { hasWildcard, TopicIndex } from './topic-index.js';

/** The most cached matches of all topics together: some megabytes if every topic is different. */
const REMEMBERED = 65_536;

/**
 * The most changes that are checked to find out whether a cached result is still valid. For more, a new search is
 * cheaper.
 */
const CHANGES_LOOKED_AT = 16;

interface Remembered<T> {
  readonly values: readonly T[];
  /** The number of changes up to which this result is known to be valid. */
  asOf: number;
}

/**
 * A topic index with a cache of its results. A change of one pattern must not invalidate the results of all topics:
 * otherwise one client that subscribes and unsubscribes in a loop would slow down matching for all clients.
 */
export class TopicMatches<T extends NonNullable<unknown>> {
  readonly #index = new TopicIndex<T>();
  readonly #found = new Map<string, Remembered<T>>();
  #remembered = 0;
  /** How many patterns with wildcards were added or deleted. */
  #changes = 0;
  /** The newest of these patterns, in a ring buffer. */
  readonly #changed: string[] = [];
  #steps = 0;

  add(pattern: string, value: T): void {
    this.#index.add(pattern, value);
    this.#note(pattern);
  }

  delete(pattern: string, value: T): void {
    this.#index.delete(pattern, value);
    this.#note(pattern);
  }

  /** The values with a matching pattern, each once. */
  of(topic: string): readonly T[] {
    const found = this.#found.get(topic);
    if (found && (found.asOf === this.#changes || this.#stillHolds(topic, found))) return found.values;
    return this.#find(topic, found);
  }

  /** The number of index steps of all searches so far. */
  get steps(): number {
    return this.#steps;
  }

  #find(topic: string, known: Remembered<T> | undefined): readonly T[] {
    const found = new Set<T>();
    this.#steps += this.#index.collect(topic, found);
    const values = [...found];
    if (known) this.#remembered -= cost(known);
    const entry = { values, asOf: this.#changes };
    this.#remembered += cost(entry);
    if (this.#remembered > REMEMBERED) this.#forget();
    else this.#found.set(topic, entry);
    return values;
  }

  /** Whether no change since the search affects the topic. */
  #stillHolds(topic: string, found: Remembered<T>): boolean {
    if (this.#changes - found.asOf > CHANGES_LOOKED_AT) return false;
    for (let change = found.asOf; change < this.#changes; change++) {
      const pattern = this.#changed[change % CHANGES_LOOKED_AT];
      if (pattern === undefined || matchesTopic(pattern, topic)) return false;
    }
    found.asOf = this.#changes;
    return true;
  }

  #note(pattern: string): void {
    if (hasWildcard(pattern)) {
      this.#changed[this.#changes % CHANGES_LOOKED_AT] = pattern;
      this.#changes += 1;
      return;
    }
    // A pattern without wildcards matches only the topic that equals it.
    const found = this.#found.get(pattern);
    if (!found) return;
    this.#remembered -= cost(found);
    this.#found.delete(pattern);
  }

  #forget(): void {
    this.#found.clear();
    this.#remembered = 0;
  }
}

/** A topic without a match counts as one: the number of such topics has no limit. */
function cost<T>({ values }: Remembered<T>): number {
  return 1 + values.length;
}
