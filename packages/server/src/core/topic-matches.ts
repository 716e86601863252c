import { TopicIndex } from './topic-index.js';

/** How many matches are remembered, over all topics: some megabytes where no topic comes twice. */
const REMEMBERED = 65_536;

/** A topic index that remembers what it found: the same topics come again and again, patterns come and go more rarely. */
export class TopicMatches<T> {
  readonly #index = new TopicIndex<T>();
  readonly #found = new Map<string, readonly T[]>();
  #remembered = 0;

  add(pattern: string, value: T): void {
    this.#forget();
    this.#index.add(pattern, value);
  }

  delete(pattern: string, value: T): void {
    this.#forget();
    this.#index.delete(pattern, value);
  }

  /** Each value with a matching pattern, once. */
  of(topic: string): readonly T[] {
    return this.#found.get(topic) ?? this.#find(topic);
  }

  #find(topic: string): readonly T[] {
    const found = new Set<T>();
    this.#index.collect(topic, found);
    const matches = [...found];
    // What nobody wants costs a place, too: there is no end of topics.
    this.#remembered += 1 + matches.length;
    if (this.#remembered > REMEMBERED) this.#forget();
    else this.#found.set(topic, matches);
    return matches;
  }

  #forget(): void {
    if (this.#remembered === 0) return;
    this.#found.clear();
    this.#remembered = 0;
  }
}
