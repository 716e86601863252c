import type { LogPoint } from '@pregon/protocol';
import type { LogEntry, ReadPage } from '../../../core/ports/log-entry.js';
import type { Range } from '../../shared/range.js';
import { pointBefore, toPoint } from '../messages/stream-entry.js';
import type { Cursor } from './cursor.js';
import { RecentEntries } from './recent-entries.js';

/** The maximum silence of the broker while it has something to send. */
const STALL_MS = 5_000;
/**
 * A page skips at most this many times its maximum number of entries. Skipped entries are not delivered but move the
 * position.
 */
const PASSED_OVER = 4;

export interface ScanOptions {
  readonly open: (from: number) => Promise<Cursor>;
  /** The number of entries to read before the first one, to recognize repetitions. */
  readonly warmUp: number;
  /** Tells whether the event at an offset is a repetition; undefined if the tail does not know. */
  readonly isDuplicate: (offset: number) => boolean | undefined;
  readonly isWanted: (exchange: string) => boolean;
}

/** Reads consecutive pages, from any offset of a stream. */
export class Scan {
  readonly #cursor: Cursor;
  readonly #options: ScanOptions;
  readonly #recent = new RecentEntries();
  #position: LogPoint = { offset: 0, fingerprint: 0 };
  #last = 0;

  /** @param after an offset before the end of the stream */
  static async open(after: number, options: ScanOptions): Promise<Scan> {
    const cursor = await options.open(Math.max(1, after - options.warmUp));
    const scan = new Scan(cursor, options);
    try {
      await scan.#skipThrough(after);
      return scan;
    } catch (error) {
      await cursor.close();
      throw error;
    }
  }

  private constructor(cursor: Cursor, options: ScanOptions) {
    this.#cursor = cursor;
    this.#options = options;
  }

  /** The last entry that was read, not counting fences; before the first entry, the point before it. */
  get position(): LogPoint {
    return this.#position;
  }

  get failed(): boolean {
    return this.#cursor.failed;
  }

  /** @param end the offset at which to stop; the stream must reach it */
  async page({ maxCount, maxBytes }: Range, end: number): Promise<ReadPage> {
    const entries: LogEntry[] = [];
    let bytes = 0;
    let passedOver = 0;
    while (entries.length < maxCount && bytes < maxBytes && passedOver < maxCount * PASSED_OVER) {
      if (this.#last >= end || (await this.#nextOffset()) > end) {
        return { entries, through: this.#position, complete: true };
      }
      const { offset } = this.#position;
      const event = this.#take();
      // Fences do not move the position: if they counted, a page of fences only could end where it began.
      if (!event) passedOver += this.#position.offset > offset ? 1 : 0;
      else {
        entries.push(event);
        bytes += event.payload.length;
      }
    }
    return { entries, through: this.#position, complete: false };
  }

  close(): Promise<void> {
    return this.#cursor.close();
  }

  async #skipThrough(after: number): Promise<void> {
    await this.#nextOffset();
    const first = this.#cursor.peek();
    if (!first) return;
    this.#position = pointBefore(first);
    while ((await this.#nextOffset()) <= after) {
      const entry = this.#cursor.peek();
      this.#take();
      // If a caller asks for the offset of a fence, the position must be that fence.
      if (entry?.offset === after) this.#position = toPoint(entry);
      if (this.#last === after) return;
    }
    this.#last = Math.max(this.#last, after);
  }

  #take(): LogEntry | undefined {
    const entry = this.#cursor.take();
    if (!entry) return undefined;
    this.#last = entry.offset;
    const isDuplicate = this.#options.isDuplicate(entry.offset) ?? this.#recent.add(entry);
    if (entry.kind !== 'fence') this.#position = toPoint(entry);
    const isDelivered = entry.kind === 'event' && !isDuplicate && this.#options.isWanted(entry.event.exchange);
    return isDelivered ? entry.event : undefined;
  }

  async #nextOffset(): Promise<number> {
    const offset = this.#cursor.nextOffset;
    if (offset !== undefined) return offset;
    if (!(await this.#cursor.ready(STALL_MS)))
      throw new Error(`RabbitMQ sent nothing from the stream for ${STALL_MS} ms`);
    return this.#cursor.nextOffset ?? Number.POSITIVE_INFINITY;
  }
}
