import type { DeliveryTally } from '../counters/delivery-tally.js';
import { type Filter, passes } from '../topics/filter.js';
import { TopicMatches } from '../topics/topic-matches.js';
import { Chunk, chunkLength } from './chunk.js';
import type { LoggedEvent } from './logged-event.js';

/**
 * The most steps of the topic index in one flush, some milliseconds. The remaining events wait for the next event loop
 * turn.
 */
const STEPS_PER_FLUSH = 20_000;

const NONE: readonly Chunk[] = [];

/**
 * What a subscription did with a chunk: it wrote the chunk (`taken`), it had the chunk already (`had`), or it is no
 * longer at the edge (`left`).
 */
export type Taking = 'taken' | 'had' | 'left';

/** A subscription at the edge: it has every matching event that was flushed. */
export interface AtEdge {
  takeAtEdge(chunk: Chunk): Taking;
}

/** All subscriptions with the same filter. Its subscriptions at the edge move together. */
export class Audience {
  readonly filter: Filter;
  /** Unique within the gateway. */
  readonly number: number;
  /** Counts the deliveries to its subscriptions; undefined if no observer reads counters. */
  readonly tally: DeliveryTally | undefined;
  /** The number of subscriptions, at the edge or behind it. */
  members = 0;
  readonly #atEdge = new Set<AtEdge>();
  #chunks: readonly Chunk[] = NONE;
  #pending: LoggedEvent[] = [];
  /** A hash of the pending events: equal for audiences with the same pending events. */
  #mark = 0;

  constructor(filter: Filter, number: number, tally?: DeliveryTally) {
    this.filter = filter;
    this.number = number;
    this.tally = tally;
  }

  /** Adds a subscription that is at the edge. Never called during a flush. */
  join(subscription: AtEdge): void {
    this.#atEdge.add(subscription);
  }

  leave(subscription: AtEdge): void {
    this.#atEdge.delete(subscription);
  }

  /** Keeps an event with a matching topic for the next flush. @returns whether it is the first event of that flush */
  offer(event: LoggedEvent): boolean {
    if (this.#atEdge.size === 0 || !passes(this.filter, event.entry)) return false;
    this.#mark = (Math.imul(this.#mark, 31) + event.offset) | 0;
    return this.#pending.push(event) === 1;
  }

  /** Takes part in a flush. Call it on all audiences of the flush before {@link Audience.move} on the first one. */
  prepare(flush: Flush): void {
    this.#chunks = flush.chunks({ events: this.#pending, mark: this.#mark, takers: this.#atEdge.size });
    this.#pending = [];
    this.#mark = 0;
  }

  /** Moves the subscriptions at the old edge to the new edge. */
  move(): void {
    const chunks = this.#chunks;
    this.#chunks = NONE;
    let deliveries = 0;
    for (const chunk of chunks) {
      let taken = 0;
      for (const subscription of this.#atEdge) {
        const taking = subscription.takeAtEdge(chunk);
        if (taking === 'taken') taken += 1;
        else if (taking === 'left') this.#atEdge.delete(subscription);
      }
      deliveries += taken * chunk.events.length;
    }
    this.tally?.flushed(chunks, deliveries);
  }
}

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

/** The events of one audience in a flush, in order. */
interface Selection {
  readonly events: readonly LoggedEvent[];
  /** A hash of the events. Two different lists in one flush rarely have the same. */
  readonly mark: number;
  /** How many subscriptions get them. */
  readonly takers: number;
}

/**
 * One move of the edge, and the chunks that deliver it. Audiences that select the same events share the chunks, and so
 * the encoded bytes, even if their patterns differ.
 */
class Flush {
  readonly #after: number;
  readonly #through: number;
  readonly #made = new Map<number, { readonly events: readonly LoggedEvent[]; readonly chunks: readonly Chunk[] }>();

  /** Moves the subscriptions at offset `after` to offset `through`. */
  constructor(after: number, through: number) {
    this.#after = after;
    this.#through = through;
  }

  /** The chunks that deliver these events. */
  chunks({ events, mark, takers }: Selection): readonly Chunk[] {
    const made = this.#made.get(mark);
    if (made && same(made.events, events)) {
      for (const chunk of made.chunks) chunk.takers += takers;
      return made.chunks;
    }
    const chunks = this.#cut(events, takers);
    this.#made.set(mark, { events, chunks });
    return chunks;
  }

  #cut(events: readonly LoggedEvent[], takers: number): readonly Chunk[] {
    const chunks: Chunk[] = [];
    for (let from = 0, at = this.#after; from < events.length; ) {
      const to = from + chunkLength(events, from);
      const last = to === events.length ? this.#through : (events[to - 1]?.offset ?? this.#through);
      chunks.push(new Chunk(at, last, from === 0 && to === events.length ? events : events.slice(from, to), takers));
      from = to;
      at = last;
    }
    return chunks;
  }
}

function same(a: readonly LoggedEvent[], b: readonly LoggedEvent[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
