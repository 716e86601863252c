import type { DeliveryTally } from '../counters/delivery-tally.js';
import type { Filter } from '../topics/filter.js';
import { TopicMatches } from '../topics/topic-matches.js';
import { Audience } from './audience.js';
import { Flush } from './flush.js';
import type { LoggedEvent } from './logged-event.js';

/**
 * The most steps of the topic index in one flush, some milliseconds. The remaining events wait for the next event loop
 * turn.
 */
const STEPS_PER_FLUSH = 20_000;

/** All audiences of a gateway, indexed by filter and by topic pattern. */
export class Audiences {
  readonly #byKey = new Map<string, Audience>();
  readonly #byTopic = new TopicMatches<Audience>();
  #entered = 0;
  /** The audiences with pending events. */
  #touched: Audience[] = [];

  get count(): number {
    return this.#byKey.size;
  }

  /**
   * Returns the audience of a filter, creates it if needed, and adds one member.
   *
   * @param tally counts the deliveries to its members: the same filter has one audience for each tally
   */
  enter(filter: Filter, tally?: DeliveryTally): Audience {
    const key = keyOf(filter, tally);
    let audience = this.#byKey.get(key);
    if (!audience) {
      audience = new Audience(filter, this.#entered++, tally);
      this.#byKey.set(key, audience);
      for (const pattern of filter.topics) this.#byTopic.add(pattern, audience);
    }
    audience.members += 1;
    return audience;
  }

  /** Removes one member, and the audience with its last member. */
  exit(audience: Audience): void {
    audience.members -= 1;
    if (audience.members > 0) return;
    this.#byKey.delete(keyOf(audience.filter, audience.tally));
    for (const pattern of audience.filter.topics) this.#byTopic.delete(pattern, audience);
  }

  /**
   * Finds the audiences of these events, in order, until the steps for one event loop turn are used up. Call
   * {@link Audiences.move} next.
   *
   * @returns how many events were matched
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

  /** Moves the subscriptions at `after` to `through`, and delivers the matched events between them. */
  move(after: number, through: number): void {
    const touched = this.#touched;
    this.#touched = [];
    // In order of creation, connections lie next to each other in memory. In random order, a write costs a tenth more.
    touched.sort((a, b) => a.number - b.number);
    const flush = new Flush(after, through);
    for (const audience of touched) audience.prepare(flush);
    for (const audience of touched) audience.move();
  }
}

function keyOf({ key }: Filter, tally: DeliveryTally | undefined): string {
  return tally ? `${tally.number} ${key}` : key;
}
