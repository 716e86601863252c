import type { LogPoint, ResetReason } from '@pregon/protocol';
import { BoundedMap } from './bounded-map.js';
import { CHUNK_BYTES } from './chunk.js';
import type { Clock } from './clock.js';
import type { Log } from './log.js';
import { LoggedEvent } from './logged-event.js';

/** A page of the log, ready to be delivered. */
export interface EventPage {
  readonly events: readonly LoggedEvent[];
  readonly through: number;
}

/** How many pages are kept for the next who asks: a reconnect storm asks for the same few again and again. */
const KEPT_PAGES = 32;

/**
 * Reads what lies before the history window. One read serves all who ask for the same range, while it is under way and for
 * a while afterwards.
 */
export class PageReader {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pages = new BoundedMap<number, Promise<EventPage | ResetReason>>(KEPT_PAGES);

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * The page after an offset, up to the edge at most; `truncated` where the log has dropped events after the offset, `replaced` where
   * it is no longer the one that has the edge.
   */
  read(after: number, edge: LogPoint): Promise<EventPage | ResetReason> {
    const kept = this.#pages.get(after);
    if (kept) return kept;
    const page = this.#read(after, edge);
    this.#pages.set(after, page);
    page.catch(() => this.#pages.delete(after));
    return page;
  }

  /** Forgets all: the log is another one. */
  clear(): void {
    this.#pages.clear();
  }

  async #read(after: number, edge: LogPoint): Promise<EventPage | ResetReason> {
    // One page a turn: whoever replays a long history must not hold up live delivery.
    await new Promise<void>((resolve) => this.#clock.nextTurn(resolve));
    const page = await this.#log.read({ after, through: edge.offset, maxBytes: CHUNK_BYTES });
    // Asked after the read: had the log been replaced or anything been dropped between, the page would be wrong.
    if ((await this.#log.check(edge)) === 'replaced') return 'replaced';
    const floor = await this.#log.floor();
    if (floor.offset > after) return 'truncated';
    const events = page.entries.map((entry) => new LoggedEvent(entry));
    return { events, through: page.complete ? edge.offset : page.through.offset };
  }
}
