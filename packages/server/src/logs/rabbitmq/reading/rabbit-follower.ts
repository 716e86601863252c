import { setImmediate as turn } from 'node:timers/promises';
import type { LogPoint } from '@pregon/protocol';
import type { LogFollower, Page } from '../../../core/ports/log-entry.js';
import { Backoff } from '../../../core/time/backoff.js';
import { pause } from '../../../core/time/deadline.js';
import { toRange } from '../../shared/range.js';
import { reportUncaught } from '../../shared/report-uncaught.js';
import { isSamePoint, toPoint } from '../messages/stream-entry.js';
import type { Reader } from './reader.js';
import type { Tail, TailMember } from './tail.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/**
 * A cursor that follows the stream. It reads page after page while it is behind, then gets new entries from the tail.
 */
export class RabbitFollower implements TailMember {
  readonly #target: LogFollower;
  readonly #tail: Tail;
  readonly #reader: Reader;
  readonly #stopping = new AbortController();
  #cursor: LogPoint;
  /** Whether the stream is known to hold the cursor's point. */
  #proven = false;
  #live = false;

  constructor(after: LogPoint, target: LogFollower, tail: Tail, reader: Reader) {
    this.#cursor = after;
    this.#target = target;
    this.#tail = tail;
    this.#reader = reader;
    tail.enter(this);
    void this.#catchUp();
  }

  stop(): void {
    this.#stopping.abort();
    this.#tail.leave(this);
  }

  arrived(page: Page): void {
    if (this.#live) this.#deliver(page);
  }

  replaced(head: LogPoint): void {
    this.#cursor = head;
    this.#live = true;
    this.#target.replaced(head);
  }

  unavailable(error: Error): void {
    this.#target.unavailable(error);
  }

  available(): void {
    this.#target.available();
  }

  get #done(): boolean {
    return this.#live || this.#stopping.signal.aborted;
  }

  async #catchUp(): Promise<void> {
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    while (!this.#done) {
      try {
        await this.#tail.known();
        if (this.#proven) await this.#advance();
        else await this.#prove();
        backoff.reset();
        await turn();
      } catch {
        // The tail reports outages to all its members. If the log was closed, this follower has been stopped.
        await pause(backoff.nextMs(), this.#stopping.signal);
      }
    }
  }

  async #prove(): Promise<void> {
    const presence = await this.#reader.check(this.#cursor);
    this.#proven = true;
    if (!this.#done && presence !== 'present') this.#startAnew();
  }

  /** Advances by one page: from the events that the tail holds, otherwise from the stream. */
  async #advance(): Promise<void> {
    if (this.#done || this.#advanceByTail()) return;
    const { offset } = this.#cursor;
    const through = Math.max(offset, this.#tail.current?.head.offset ?? 0);
    const { page, start } = await this.#reader.read(toRange({ after: offset, through }));
    if (this.#done) return;
    if (isSamePoint(start, this.#cursor)) this.#deliver(page);
    else this.#startAnew();
  }

  #advanceByTail(): boolean {
    const known = this.#tail.current;
    if (!known || this.#cursor.offset < known.events.after) return false;
    const { events, complete } = known.events.page(this.#cursor.offset);
    this.#live = complete;
    const last = events.at(-1);
    this.#deliver({ entries: events, through: complete || !last ? known.head : toPoint(last) });
    return true;
  }

  /** The stream does not hold the point, so events after it may have been dropped. */
  #startAnew(): void {
    const known = this.#tail.current;
    if (known) reportUncaught(() => this.replaced(known.head));
  }

  #deliver(page: Page): void {
    if (page.through.offset <= this.#cursor.offset) return;
    this.#cursor = page.through;
    reportUncaught(() => this.#target.appended(page));
  }
}
