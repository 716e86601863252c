import type { EncodedEvent } from '../encode.js';
import { isSameEvent, ReusedId } from '../same-event.js';

/** What makes an event the same as another: no two pairs of source and id have one key. */
export function eventKey({ source, id }: { readonly source: string; readonly id: string }): string {
  return JSON.stringify([source, id]);
}

/**
 * The events of an append that are to be stored, by {@link eventKey}: without those that are there already, each once.
 *
 * @param payloadOf the payload that is stored under a key, if one is
 * @throws ReusedId if an event is another one than the stored one, or the first of this append, with its source and id
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
