import type { LogPoint } from '@pregon/protocol';
import { pointBefore, type StreamEntry, toPoint } from '../messages/stream-entry.js';
import { RecentEntries } from './recent-entries.js';
import { RecentEvents } from './recent-events.js';

/** The number of entries before its end from which a stream is first read, so that repeated events are recognized. */
export const WARM_UP_ENTRIES = 10_000;

/** The approximate number of events over which the mean size is averaged. */
const MEAN_OF = 64;

/** What is known about the end of one stream. */
export class Known {
  readonly entries = new RecentEntries();
  readonly events: RecentEvents;
  /** From this offset on, it is known for each event whether it is a repetition. */
  readonly judgedFrom: number;
  #last: LogPoint;
  #head: LogPoint;
  #meanBytes = 1_000;

  /**
   * @param first the first entry that was read
   * @param isFirst whether it is the first entry of the stream
   */
  constructor(first: StreamEntry, isFirst: boolean) {
    this.judgedFrom = isFirst ? first.offset : first.offset + WARM_UP_ENTRIES / 2;
    this.events = new RecentEvents(first.offset - 1);
    this.#last = pointBefore(first);
    this.#head = isFirst ? this.#last : toPoint(first);
  }

  /** The last entry that was read, of any kind. */
  get last(): LogPoint {
    return this.#last;
  }

  /** The last entry that is not a fence. */
  get head(): LogPoint {
    return this.#head;
  }

  /** The mean size of recent events, in bytes. */
  get meanBytes(): number {
    return this.#meanBytes;
  }

  /** Must be called for each entry in order. Returns whether it repeats an earlier event. */
  add(entry: StreamEntry): boolean {
    this.#last = toPoint(entry);
    if (entry.kind !== 'fence') this.#head = this.#last;
    if (entry.kind === 'event') this.#meanBytes += (entry.event.payload.length - this.#meanBytes) / MEAN_OF;
    return this.entries.add(entry);
  }

  /** Tells whether the event at an offset repeats an earlier one; undefined if that is not known. */
  isDuplicate(offset: number): boolean | undefined {
    return offset < this.judgedFrom || offset > this.#last.offset ? undefined : this.entries.isDuplicate(offset);
  }
}
