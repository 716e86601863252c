import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_COUNT } from '../../../core/ports/log.js';
import type { LogEntry } from '../../../core/ports/log-entry.js';

const MOST_BYTES = 4_194_304;

/** The most recent events: a follower that starts from a point among them needs no read from the broker. */
export class RecentEvents {
  #events: LogEntry[] = [];
  #bytes = 0;
  #after: number;

  /** @param after all events after this offset are held */
  constructor(after: number) {
    this.#after = after;
  }

  get after(): number {
    return this.#after;
  }

  push(event: LogEntry): void {
    this.#events.push(event);
    this.#bytes += event.payload.length;
    if (this.#bytes > MOST_BYTES) this.#dropOlderHalf();
  }

  /**
   * Returns one page of the events after an offset, which must be at least {@link RecentEvents.after}.
   *
   * @returns `complete` tells whether no events follow
   */
  page(offset: number): { events: LogEntry[]; complete: boolean } {
    const start = this.#events.findLastIndex((event) => event.offset <= offset) + 1;
    let bytes = 0;
    let end = start;
    for (; end < this.#events.length && end - start < DEFAULT_PAGE_COUNT && bytes < DEFAULT_PAGE_BYTES; end++) {
      bytes += this.#events[end]?.payload.length ?? 0;
    }
    return { events: this.#events.slice(start, end), complete: end === this.#events.length };
  }

  /** Returns the event at an offset; undefined if it is not held. */
  at(offset: number): LogEntry | undefined {
    const event = this.#events[this.#events.findLastIndex((candidate) => candidate.offset <= offset)];
    return event?.offset === offset ? event : undefined;
  }

  #dropOlderHalf(): void {
    const dropped = this.#events.splice(0, Math.ceil(this.#events.length / 2));
    for (const { payload } of dropped) this.#bytes -= payload.length;
    this.#after = dropped.at(-1)?.offset ?? this.#after;
  }
}
