import type { LogPoint, ResetReason } from '@pregon/protocol';
import { CHUNK_BYTES } from '../delivery/chunk.js';
import { LoggedEvent } from '../delivery/logged-event.js';
import type { Log } from '../ports/log.js';
import type { PositionCodec } from '../ports/positions.js';
import type { Clock } from '../time/clock.js';

/** A page of the log, ready to be delivered. */
export interface EventPage {
  readonly after: number;
  readonly through: number;
  /** All events between the two offsets. */
  readonly events: readonly LoggedEvent[];
}

/** How many pages are cached: in a reconnect storm, the same few pages are read again and again. */
const KEPT_PAGES = 32;

/** The most concurrent reads: a log in another process answers each of them late. */
const MOST_READS = 16;

/** The most waiting requests that are answered from the cache in one event loop turn. */
const ANSWERED_PER_TURN = 16;

interface Wanted {
  readonly edge: LogPoint;
  readonly page: Promise<EventPage | ResetReason>;
  resolve(page: EventPage | ResetReason | Promise<EventPage | ResetReason>): void;
}

/**
 * Reads the part of the log before the history window. One read serves all requests in its range, while it is under way
 * and for a while afterwards. Only one read begins in each event loop turn: thousands of clients that reconnect, each
 * from a different point, must not delay live delivery.
 */
export class PageReader {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #positions: PositionCodec;
  /** The cached pages; the last one is the newest. */
  #kept: readonly EventPage[] = [];
  /** The waiting requests by the offset after which they need a page, in order. */
  #waiting = new Map<number, Wanted>();
  #underWay = new Map<number, Promise<EventPage | ResetReason>>();
  #turnComes = false;
  #reads = 0;
  #events = 0;

  constructor(log: Log, clock: Clock, positions: PositionCodec) {
    this.#log = log;
    this.#clock = clock;
    this.#positions = positions;
  }

  /**
   * A cached page that contains the events after an offset; it may start before the offset. Undefined if there is none.
   */
  kept(after: number): EventPage | undefined {
    return this.#kept.findLast((page) => page.after <= after && after < page.through);
  }

  /**
   * Gets a page that contains the events after an offset, up to the edge at most. Reads it from the log if it is not
   * cached.
   *
   * @returns the page; `truncated` if the log has dropped events after the offset; `replaced` if the log
   *   no longer has the edge
   */
  read(after: number, edge: LogPoint): Promise<EventPage | ResetReason> {
    const asked = this.#underWay.get(after) ?? this.#waiting.get(after)?.page;
    if (asked) return asked;
    let resolve: Wanted['resolve'] = () => {};
    const page = new Promise<EventPage | ResetReason>((settle) => {
      resolve = settle;
    });
    this.#waiting.set(after, { edge, page, resolve });
    this.#awaitTurn();
    return page;
  }

  /** The number of pages that were read from the log, and of the events in them. */
  get counters(): { readonly reads: number; readonly events: number } {
    return { reads: this.#reads, events: this.#events };
  }

  /** Drops all pages and requests, because the log was replaced. */
  clear(): void {
    for (const { resolve } of this.#waiting.values()) resolve('replaced');
    this.#kept = [];
    this.#waiting = new Map();
    this.#underWay = new Map();
  }

  #awaitTurn(): void {
    if (this.#turnComes || this.#waiting.size === 0 || this.#underWay.size >= MOST_READS) return;
    this.#turnComes = true;
    this.#clock.nextTurn(() => {
      this.#turnComes = false;
      this.#turn();
      this.#awaitTurn();
    });
  }

  #turn(): void {
    let answers = ANSWERED_PER_TURN;
    for (const [after, wanted] of this.#waiting) {
      this.#waiting.delete(after);
      const kept = this.kept(after);
      wanted.resolve(kept ?? this.#begin(after, wanted.edge));
      answers -= 1;
      if (!kept || answers === 0) return;
    }
  }

  #begin(after: number, edge: LogPoint): Promise<EventPage | ResetReason> {
    const underWay = this.#underWay;
    const page = this.#read(after, edge).then((read) => {
      if (typeof read !== 'string' && underWay === this.#underWay)
        this.#kept = [...this.#kept, read].slice(-KEPT_PAGES);
      return read;
    });
    underWay.set(after, page);
    return page.finally(() => {
      underWay.delete(after);
      this.#awaitTurn();
    });
  }

  async #read(after: number, edge: LogPoint): Promise<EventPage | ResetReason> {
    const page = await this.#log.read({ after, through: edge.offset, maxBytes: CHUNK_BYTES });
    this.#reads += 1;
    this.#events += page.entries.length;
    // Check after the read: if the log was replaced or has dropped events in the meantime, the page is wrong.
    if ((await this.#log.check(edge)) === 'replaced') return 'replaced';
    const floor = await this.#log.floor();
    if (floor.offset > after) return 'truncated';
    const events = LoggedEvent.ofAll(page.entries, this.#positions);
    return { after, events, through: page.complete ? edge.offset : page.through.offset };
  }
}
