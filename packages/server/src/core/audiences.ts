import { Audience } from './audience.js';
import type { Filter } from './filter.js';
import { Flush } from './flush.js';
import type { LoggedEvent } from './logged-event.js';
import { TopicMatches } from './topic-matches.js';

/** All audiences of a gateway, found by filter and by the topic of an event. */
export class Audiences {
  readonly #byKey = new Map<string, Audience>();
  readonly #byTopic = new TopicMatches<Audience>();
  #entered = 0;

  get count(): number {
    return this.#byKey.size;
  }

  /** The audience for a filter, which gains a member. */
  enter(filter: Filter): Audience {
    let audience = this.#byKey.get(filter.key);
    if (!audience) {
      audience = new Audience(filter, this.#entered++);
      this.#byKey.set(filter.key, audience);
      for (const pattern of filter.topics) this.#byTopic.add(pattern, audience);
    }
    audience.members += 1;
    return audience;
  }

  /** The audience loses a member, and is given up with the last. */
  exit(audience: Audience): void {
    audience.members -= 1;
    if (audience.members > 0) return;
    this.#byKey.delete(audience.filter.key);
    for (const pattern of audience.filter.topics) this.#byTopic.delete(pattern, audience);
  }

  /** Moves everybody at `after` to `through`; what lies between is `events`. */
  flush(events: readonly LoggedEvent[], after: number, through: number): void {
    const touched: Audience[] = [];
    for (const event of events) {
      for (const audience of this.#byTopic.of(event.entry.topic)) if (audience.offer(event)) touched.push(audience);
    }
    // In the order in which they came to be, connections lie in memory: by chance, a write costs a tenth more.
    touched.sort((a, b) => a.number - b.number);
    const flush = new Flush(after, through);
    for (const audience of touched) audience.prepare(flush);
    for (const audience of touched) audience.move();
  }
}
