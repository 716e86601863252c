import { type LogPoint, toError } from '@pregon/protocol';
import type { Log } from '../ports/log.js';
import type { LogEntry, LogFollower, Page, StopFollowing } from '../ports/log-entry.js';
import type { PositionCodec } from '../ports/positions.js';
import { isReserved, LoggedEvent } from './logged-event.js';

/** Consecutive events of the log, and the point up to which no event is missing. */
export interface Arrived {
  readonly events: readonly LoggedEvent[];
  readonly through: LogPoint;
}

/** Limits of the queue. The page of events that reaches a limit is still accepted. */
export interface ArrivalsLimits {
  /** @default 20000 */
  readonly mostEvents?: number;
  /** @default 16777216 (16 MiB) */
  readonly mostBytes?: number;
}

export interface ArrivalsOptions extends ArrivalsLimits {
  readonly log: Pick<Log, 'follow'>;
  readonly positions: PositionCodec;
  readonly after: LogPoint;
}

/** A follower of the log that reads the new events from {@link Arrivals.waiting}. */
export interface ArrivalsFollower extends Omit<LogFollower, 'appended'> {
  appended(): void;
  /** Called with the events of the reserved exchange in a page, before the others of the page are waiting. */
  reserved?(entries: readonly LogEntry[]): void;
}

const MOST_EVENTS = 20_000;
const MOST_BYTES = 16_777_216;

/**
 * A queue of events that were read from the log and not yet matched. It applies backpressure to the log, because
 * reading can be faster than matching many topic patterns. When a limit is reached, the queue stops following the log.
 * It follows again when it is at most half full.
 */
export class Arrivals {
  readonly #options: Required<ArrivalsOptions>;
  readonly #told: ArrivalsFollower;
  #events: LoggedEvent[] = [];
  #bytes = 0;
  #through: LogPoint;
  #hasCome = false;
  #isClosed = false;
  #isFollowing = false;
  #isResuming = false;
  #isUnavailable = false;
  #stop: StopFollowing | undefined;
  /** Settles when the log has stopped calling the follower. */
  #stopped: Promise<void> = Promise.resolve();

  constructor(options: ArrivalsOptions, told: ArrivalsFollower) {
    this.#options = { mostEvents: MOST_EVENTS, mostBytes: MOST_BYTES, ...options };
    this.#told = told;
    this.#through = options.after;
    this.#follow();
  }

  get waiting(): readonly LoggedEvent[] {
    return this.#events;
  }

  /** The bytes of the waiting events. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes the first `count` waiting events. If no event is left then, `through` is the point up to which the log was
   * read.
   *
   * @returns undefined if there is nothing to take
   */
  take(count: number): Arrived | undefined {
    if (!this.#hasCome || (count === 0 && this.#events.length > 0)) return undefined;
    const events = count < this.#events.length ? this.#events.splice(0, count) : this.#events;
    if (events === this.#events) this.#events = [];
    this.#hasCome = this.#events.length > 0;
    for (const { size } of events) this.#bytes -= size;
    const last = events.at(-1);
    const through =
      this.#hasCome && last ? { offset: last.offset, fingerprint: last.entry.fingerprint } : this.#through;
    const { mostEvents, mostBytes } = this.#options;
    if (this.#events.length <= mostEvents / 2 && this.#bytes <= mostBytes / 2) this.#resume();
    return { events, through };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pause();
    await this.#stopped;
  }

  #follow(): void {
    this.#isFollowing = true;
    const follower: LogFollower = {
      appended: (page) => this.#ifFollowing(() => this.#arrive(page)),
      replaced: (head) => this.#ifFollowing(() => this.#replaced(head)),
      unavailable: (error) => this.#ifFollowing(() => this.#unavailable(error)),
      available: () => this.#ifFollowing(() => this.#available()),
    };
    const stop = this.#options.log.follow(this.#through, follower);
    if (this.#isFollowing) this.#stop = stop;
    else this.#stopped = stop();
  }

  /** Ignores late calls: a log may call the follower until its stop function resolves. */
  #ifFollowing(tell: () => void): void {
    if (this.#isFollowing) tell();
  }

  #pause(): void {
    this.#isFollowing = false;
    if (this.#stop) this.#stopped = this.#stop();
    this.#stop = undefined;
  }

  #resume(): void {
    if (this.#isFollowing || this.#isResuming) return;
    this.#isResuming = true;
    const resume = () => {
      this.#isResuming = false;
      if (this.#isClosed) return;
      try {
        this.#follow();
      } catch (error) {
        this.#isFollowing = false;
        this.#unavailable(toError(error));
      }
    };
    this.#stopped.then(resume, resume);
  }

  #unavailable(error: Error): void {
    this.#isUnavailable = true;
    this.#told.unavailable(error);
  }

  /** Called for each page too: while following is paused, the `available` call of the log is ignored. */
  #available(): void {
    if (!this.#isUnavailable) return;
    this.#isUnavailable = false;
    this.#told.available();
  }

  #arrive(page: Page): void {
    this.#available();
    this.#hasCome = true;
    this.#through = page.through;
    if (page.entries.some(isReserved)) this.#told.reserved?.(page.entries.filter(isReserved));
    for (const event of LoggedEvent.ofAll(page.entries, this.#options.positions)) {
      this.#events.push(event);
      this.#bytes += event.size;
    }
    const { mostEvents, mostBytes } = this.#options;
    if (this.#events.length >= mostEvents || this.#bytes >= mostBytes) this.#pause();
    this.#told.appended();
  }

  #replaced(head: LogPoint): void {
    this.#events = [];
    this.#bytes = 0;
    this.#hasCome = false;
    this.#through = head;
    this.#told.replaced(head);
  }
}
