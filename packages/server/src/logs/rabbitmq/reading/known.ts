import type { LogPoint } from '@pregon/protocol';
import { pointBefore, type StreamEntry, toPoint } from '../messages/stream-entry.js';
import { RecentEntries } from './recent-entries.js';
import { RecentEvents } from './recent-events.js';

/** How far before its end a stream is read at first, so that what is there a second time is known. */
export const WARM_UP_ENTRIES = 10_000;

/** Of how many events the mean size is taken, roughly. */
const MEAN_OF = 64;

/** What is known of the end of one stream, as long as it is this one. */
export class Known {
  readonly entries = new RecentEntries();
  readonly events: RecentEvents;
  /** From this offset on, it is known of each event whether it is there a second time. */
  readonly judgedFrom: number;
  #last: LogPoint;
  #head: LogPoint;
  #meanBytes = 1_000;

  /**
   * @param first the entry that was read first
   * @param isFirst whether the stream holds none before it
   */
  constructor(first: StreamEntry, isFirst: boolean) {
    this.judgedFrom = isFirst ? first.offset : first.offset + WARM_UP_ENTRIES / 2;
    this.events = new RecentEvents(first.offset - 1);
    this.#last = pointBefore(first);
    this.#head = isFirst ? this.#last : toPoint(first);
  }

  /** The last entry that was read, of whatever kind. */
  get last(): LogPoint {
    return this.#last;
  }

  /** The last entry that is no fence. */
  get head(): LogPoint {
    return this.#head;
  }

  /** How large the events were of late. */
  get meanBytes(): number {
    return this.#meanBytes;
  }

  /** To be called for each entry in turn. Whether it is an event that was there before. */
  add(entry: StreamEntry): boolean {
    this.#last = toPoint(entry);
    if (entry.kind !== 'fence') this.#head = this.#last;
    if (entry.kind === 'event') this.#meanBytes += (entry.event.payload.length - this.#meanBytes) / MEAN_OF;
    return this.entries.add(entry);
  }

  /** Whether the event at an offset is there a second time; undefined where that is not known. */
  isDuplicate(offset: number): boolean | undefined {
    return offset < this.judgedFrom || offset > this.#last.offset ? undefined : this.entries.isDuplicate(offset);
  }
}
