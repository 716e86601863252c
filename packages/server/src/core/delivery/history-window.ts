import type { LogPoint } from '@pregon/protocol';
import type { LoggedEvent } from './logged-event.js';

/** About how much memory an event takes beside its own bytes. */
const EVENT_OVERHEAD = 300;

/**
 * The newest events, in memory, limited in bytes. It is complete between its floor and the edge: it holds every event
 * that the gateway read from the log after the floor.
 */
export class HistoryWindow {
  readonly #maxBytes: number;
  /** Events in order from index `#start` on. The places before it belonged to dropped events. */
  #events: (LoggedEvent | undefined)[] = [];
  #start = 0;
  #bytes = 0;
  #floor: LogPoint;

  constructor(maxBytes: number, floor: LogPoint) {
    this.#maxBytes = maxBytes;
    this.#floor = floor;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#events.length - this.#start;
  }

  /** The window can serve a cursor at or after this point. */
  get floor(): LogPoint {
    return this.#floor;
  }

  append(events: readonly LoggedEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.size + EVENT_OVERHEAD;
    }
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    // Shifting the array for each dropped event would cost its whole length. Cutting off half of it costs a constant
    // per event.
    if (this.#start > 1_024 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** The events after an offset, up to about `maxBytes`; undefined if the offset is before the floor. */
  after(offset: number, maxBytes: number): { events: LoggedEvent[]; more: boolean } | undefined {
    if (offset < this.#floor.offset) return undefined;
    const from = this.#indexAfter(offset);
    const events: LoggedEvent[] = [];
    let bytes = 0;
    for (let at = from; at < this.#events.length; at++) {
      const event = this.#events[at];
      if (!event) break;
      bytes += event.size;
      if (bytes > maxBytes && events.length > 0) return { events, more: true };
      events.push(event);
    }
    return { events, more: false };
  }

  /** The event at exactly this offset; undefined if the window does not hold it. */
  at(offset: number): LoggedEvent | undefined {
    const event = this.#events[this.#indexAfter(offset - 1)];
    return event?.offset === offset ? event : undefined;
  }

  clear(floor: LogPoint): void {
    this.#events = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#floor = floor;
  }

  #dropOldest(): void {
    const oldest = this.#events[this.#start];
    if (!oldest) return;
    this.#bytes -= oldest.size + EVENT_OVERHEAD;
    this.#floor = { offset: oldest.offset, fingerprint: oldest.entry.fingerprint };
    // Release the event at once: otherwise a thousand events of 1 MiB could stay here until the array is cut.
    this.#events[this.#start] = undefined;
    this.#start += 1;
  }

  #indexAfter(offset: number): number {
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.offset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
