import type { Filter } from '../topics/filter.js';
import { TopicMatches } from '../topics/topic-matches.js';
import { Audience } from './audience.js';
import { Flush } from './flush.js';
import type { LoggedEvent } from './logged-event.js';

/** How many steps of the topic index one flush may take: some milliseconds. What is left comes with the next turn of the event loop. */
const STEPS_PER_FLUSH = 20_000;

/** All audiences of a gateway, found by filter and by the topic of an event. */
export class Audiences {
  readonly #byKey = new Map<string, Audience>();
  readonly #byTopic = new TopicMatches<Audience>();
  #entered = 0;
  /** Those with events to move by. */
  #touched: Audience[] = [];

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

  /**
   * Finds who wants the first of these events, until that has taken enough of a turn of the event loop; {@link Audiences.move} is to follow.
   *
   * @returns how many events it has come to
   */
  match(events: readonly LoggedEvent[]): number {
    const enough = this.#byTopic.steps + STEPS_PER_FLUSH;
    let matched = 0;
    for (const event of events) {
      for (const audience of this.#byTopic.of(event.entry.topic))
        if (audience.offer(event)) this.#touched.push(audience);
      matched += 1;
      if (this.#byTopic.steps >= enough) break;
    }
    return matched;
  }

  /** Moves everybody at `after` to `through`, with the events between that were matched. */
  move(after: number, through: number): void {
    const touched = this.#touched;
    this.#touched = [];
    // In the order in which they came to be, connections lie in memory: by chance, a write costs a tenth more.
    touched.sort((a, b) => a.number - b.number);
    const flush = new Flush(after, through);
    for (const audience of touched) audience.prepare(flush);
    for (const audience of touched) audience.move();
  }
}
