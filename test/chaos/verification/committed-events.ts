import { matchesTopic } from '@pregon/protocol';
import type { CommittedEvent } from './truth.js';

/** The committed events in the required order, and the parts of them that match topics. */
export class CommittedEvents {
  readonly events: readonly CommittedEvent[];
  readonly #places: ReadonlyMap<string, number>;
  /** Many followers have equal topics. */
  readonly #matching = new Map<string, MatchingEvents>();

  constructor(events: readonly CommittedEvent[]) {
    this.events = events;
    this.#places = new Map(events.map(({ id }, place) => [id, place]));
  }

  /** The place of an event among all events. */
  placeOf(id: string): number | undefined {
    return this.#places.get(id);
  }

  matching(topics: readonly string[]): MatchingEvents {
    const key = JSON.stringify(topics);
    const known = this.#matching.get(key);
    if (known) return known;
    const matching = new MatchingEvents(this.events, topics);
    this.#matching.set(key, matching);
    return matching;
  }
}

/** The events that match some topics, in the required order. */
export class MatchingEvents {
  readonly events: readonly CommittedEvent[];
  /** By id. */
  readonly #places: ReadonlyMap<string, number>;
  /** For each place among all events, how many events match before it. */
  readonly #before: Uint32Array;

  constructor(all: readonly CommittedEvent[], topics: readonly string[]) {
    const matches = matcher(topics);
    const before = new Uint32Array(all.length + 1);
    const events: CommittedEvent[] = [];
    all.forEach((event, place) => {
      before[place] = events.length;
      if (matches(event)) events.push(event);
    });
    before[all.length] = events.length;
    this.events = events;
    this.#places = new Map(events.map(({ id }, place) => [id, place]));
    this.#before = before;
  }

  placeOf(id: string): number | undefined {
    return this.#places.get(id);
  }

  /** @param place a place among all events. @returns the place of the first matching event after it */
  placeAfter(place: number): number {
    return this.#before[place + 1] ?? this.events.length;
  }
}

/** Whether an event matches one of these topics. */
export function matcher(topics: readonly string[]): (event: CommittedEvent) => boolean {
  return ({ topic }) => topics.some((pattern) => matchesTopic(pattern, topic));
}
