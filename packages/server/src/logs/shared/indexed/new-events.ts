import type { EncodedEvent } from '../encode.js';
import { isSameEvent, ReusedId } from '../same-event.js';

/**
 * Returns the identity of an event: different pairs of source and id have different keys.
 *
 * @example
 * eventKey({ source: '/users', id: '42' }); // '["/users","42"]'
 */
export function eventKey({ source, id }: { readonly source: string; readonly id: string }): string {
  return JSON.stringify([source, id]);
}

/**
 * Selects the events of an append that must be stored, by {@link eventKey}: each once, without those that are already
 * stored.
 *
 * @param payloadOf returns the payload that is stored under a key; undefined if there is none
 * @throws ReusedId if a stored event, or an earlier event of this append, has the same source and id but a different
 * content
 * @example
 * const fresh = newEvents(encoded, (key) => stored.get(key));
 */
export function newEvents(
  events: readonly EncodedEvent[],
  payloadOf: (key: string) => Uint8Array | undefined,
): Map<string, EncodedEvent> {
  const fresh = new Map<string, EncodedEvent>();
  for (const event of events) {
    const key = eventKey(event);
    const first = payloadOf(key) ?? fresh.get(key)?.payload;
    if (first === undefined) fresh.set(key, event);
    else if (!isSameEvent(event.payload, first)) throw new ReusedId(event);
  }
  return fresh;
}
