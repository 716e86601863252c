import type { LogEntry } from '../ports/log-entry.js';
import { type Filter, passes } from './filter.js';
import { TopicIndex } from './topic-index.js';

/** A filter with a topic index of its own, for subscriptions behind the edge. It is compiled once for many events. */
export class CompiledFilter {
  readonly #filter: Filter;
  /** Undefined if every topic matches. */
  readonly #index: TopicIndex<true> | undefined;
  readonly #found = new Set<true>();
  #steps = 0;

  constructor(filter: Filter) {
    this.#filter = filter;
    if (filter.topics[0] === '#') return;
    this.#index = new TopicIndex();
    for (const pattern of filter.topics) this.#index.add(pattern, true);
  }

  /** The number of matching steps so far. */
  get steps(): number {
    return this.#steps;
  }

  matches(entry: LogEntry): boolean {
    return this.#matchesTopic(entry.topic) && passes(this.#filter, entry);
  }

  #matchesTopic(topic: string): boolean {
    if (!this.#index) return true;
    this.#found.clear();
    this.#steps += this.#index.collect(topic, this.#found);
    return this.#found.size > 0;
  }
}
