import type { EncodedEvent } from '../../shared/encode.js';
import { isSameEvent, ReusedId } from '../../shared/same-event.js';
import { toKey } from '../messages/message.js';

/** About 30,000 events of 350 bytes; at least half of them are always remembered. */
const MOST_BYTES = 16_777_216;
/** The approximate memory of an entry in addition to its payload, in bytes. */
const ENTRY_BYTES = 200;

/**
 * The events that this process published last. A stream accepts a second event with the same id, and readers drop it.
 * This class finds such an event before it is published.
 */
export class PublishedEvents {
  readonly #most: number;
  #events = new Map<string, Uint8Array>();
  #former = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#most = mostBytes;
  }

  /**
   * Remembers events that are about to be published; none of them if it throws.
   *
   * @throws ReusedId if another event, even of the same call, has the source and id of one of them
   */
  add(events: readonly EncodedEvent[]): void {
    const added = new Map<string, Uint8Array>();
    for (const event of events) {
      const key = toKey(event.source, event.id);
      const first = added.get(key) ?? this.#events.get(key) ?? this.#former.get(key);
      if (first && !isSameEvent(event.payload, first)) throw new ReusedId(event);
      added.set(key, first ?? event.payload);
    }
    for (const [key, payload] of added) this.#remember(key, payload);
  }

  /** Must be called for events that the broker refused. */
  forget(events: readonly EncodedEvent[]): void {
    for (const { source, id } of events) {
      this.#events.delete(toKey(source, id));
      this.#former.delete(toKey(source, id));
    }
  }

  #remember(key: string, payload: Uint8Array): void {
    if (this.#events.has(key)) return;
    this.#events.set(key, payload);
    this.#bytes += payload.length + ENTRY_BYTES;
    if (this.#bytes < this.#most / 2) return;
    this.#former = this.#events;
    this.#events = new Map();
    this.#bytes = 0;
  }
}
