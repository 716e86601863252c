import { matchesTopic } from '@pregon/protocol';
import { hasWildcard, TopicIndex } from './topic-index.js';

/** How many matches are remembered, over all topics: some megabytes if no topic comes twice. */
const REMEMBERED = 65_536;

/** How many changes are looked at to find out whether what is remembered still holds; beyond, it is cheaper to search again. */
const CHANGES_LOOKED_AT = 16;

interface Remembered<T> {
  readonly values: readonly T[];
  /** How many changes there had been when this was last known to hold. */
  asOf: number;
}

/**
 * A topic index that remembers what it found. Patterns come and go while the same topics come again and again, so a change must not
 * invalidate what is known of all topics: one client that subscribes and unsubscribes in a loop would slow down matching for all.
 */
export class TopicMatches<T extends NonNullable<unknown>> {
  readonly #index = new TopicIndex<T>();
  readonly #found = new Map<string, Remembered<T>>();
  #remembered = 0;
  /** How many patterns with wildcards have come or gone. */
  #changes = 0;
  /** The newest of them, in a ring. */
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

  /** Each value with a matching pattern, once. */
  of(topic: string): readonly T[] {
    const found = this.#found.get(topic);
    if (found && (found.asOf === this.#changes || this.#stillHolds(topic, found))) return found.values;
    return this.#find(topic, found);
  }

  /** How many steps of the index all searches together have taken. */
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

  /** Whether no change since has to do with the topic. */
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
    // Without wildcards, a pattern matches the topic of its name and no other.
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

/** Topics without a match count as one: their number has no limit. */
function cost<T>({ values }: Remembered<T>): number {
  return 1 + values.length;
}
