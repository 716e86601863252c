import { type LogPoint, PregonError } from '@pregon/protocol';
import type { Presence, ReadPage } from '../../../core/ports/log-entry.js';
import { Backoff } from '../../../core/time/backoff.js';
import { answerWithin, pause } from '../../../core/time/deadline.js';
import type { Range } from '../../shared/range.js';
import { toUnavailable } from '../../shared/unavailable.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import { type EventEntry, isSamePoint, pointBefore, type StreamEntry } from '../messages/stream-entry.js';
import type { Cursor } from './cursor.js';
import { type Known, WARM_UP_ENTRIES } from './known.js';
import { Scan } from './scan.js';
import { ScanPool } from './scan-pool.js';
import { STALL_MS, type Tail } from './tail.js';

/** The time for which a floor that was read counts as current. */
const FLOOR_AGE_MS = 1_000;
/** The maximum number of parallel reads from the broker; more reads wait for their turn. */
const MOST_READS = 8;

/** The minimum time between two reads of the stream's end for unknown points. */
const LOOK_INTERVAL_MS = 100;

/**
 * The amount that the broker sends ahead to one scan: in bytes, if events stay as large as they recently were, and in
 * messages.
 */
const AHEAD_BYTES = 2_097_152;
const LEAST_PREFETCH = 10;
const MOST_PREFETCH = 1_000;

const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;

export interface ReaderOptions {
  readonly connection: RabbitConnection;
  readonly tail: Tail;
  readonly openCursor: (link: AmqpConnection, from: number | 'first', prefetch: number) => Promise<Cursor>;
  readonly isWanted: (exchange: string) => boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A page and its start: the requested point, unless the stream no longer holds it. */
export interface Reading {
  readonly page: ReadPage;
  readonly start: LogPoint;
}

/** Reads older parts of the stream. Requests for what the tail knows do not reach the broker. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #pool = new ScanPool();
  #floor: { readonly point: LogPoint; readonly at: number } | undefined;
  #looking: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #reads = 0;
  readonly #turns: (() => void)[] = [];

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  head(): Promise<LogPoint> {
    return this.retry(() => this.#options.tail.catchUp(this.#options.timeoutMs));
  }

  floor(): Promise<LogPoint> {
    return this.retry(async (link) => {
      // From here on the stream is not empty: in an empty stream, the fence of the tail is the first entry.
      await this.#known();
      return this.#inTurn(() => this.#readFloor(link));
    });
  }

  check(point: LogPoint): Promise<Presence> {
    return this.retry((link) => this.#check(link, point));
  }

  /** Returns the event at a point; undefined if the stream does not hold it, or if nobody here reads its exchange. */
  eventAt(point: LogPoint): Promise<EventEntry | undefined> {
    return this.retry(async (link) => {
      if (point.offset < 1 || (await this.#check(link, point)) !== 'present') return undefined;
      const entry = await this.#inTurn(() => this.#entryFrom(link, point.offset));
      if (entry.kind !== 'event' || !isSamePoint(entry, point)) return undefined;
      return this.#options.isWanted(entry.event.exchange) ? entry : undefined;
    });
  }

  /** Implements {@link Log.read}. */
  read(range: Range): Promise<Reading> {
    return this.retry(async (link) => {
      const known = await this.#known(range.through);
      const { head } = known;
      if (range.after >= head.offset && range.through >= head.offset) {
        return { page: { entries: [], through: head, complete: true }, start: head };
      }
      return this.#inTurn(() => this.#readPage(link, known, range));
    });
  }

  /** Must be called when another stream has taken the place of this one. */
  clear(): void {
    this.#floor = undefined;
    this.#pool.clear();
  }

  async #check(link: AmqpConnection, point: LogPoint): Promise<Presence> {
    let known = await this.#known();
    if (point.offset > known.last.offset) {
      // The point may come from another gateway that has read further.
      await this.#lookFurther();
      known = await this.#known();
      if (point.offset > known.last.offset) return 'replaced';
    }
    if (known.entries.fingerprintAt(point.offset) === point.fingerprint) return 'present';
    return this.#inTurn(() => this.#checkBehind(link, known, point));
  }

  /** @param through the offset that the tail must have read, if the stream reaches it */
  async #known(through = 0): Promise<Known> {
    const { tail, timeoutMs } = this.#options;
    const known = await tail.known(timeoutMs);
    if (through <= known.last.offset) return known;
    await tail.catchUp(timeoutMs);
    return tail.known(timeoutMs);
  }

  async #readPage(link: AmqpConnection, known: Known, range: Range): Promise<Reading> {
    const end = Math.min(range.through, known.last.offset);
    const scan = this.#pool.take(range.after) ?? (await this.#openScan(link, known, Math.min(range.after, end)));
    try {
      const start = scan.position;
      if (start.offset > range.after) this.#rememberFloor(start);
      const page = await scan.page(range, end);
      this.#pool.keep(scan);
      return { page, start };
    } catch (error) {
      await scan.close();
      throw error;
    }
  }

  #openScan(link: AmqpConnection, known: Known, after: number): Promise<Scan> {
    const { openCursor, isWanted } = this.#options;
    const prefetch = Math.max(LEAST_PREFETCH, Math.min(MOST_PREFETCH, Math.floor(AHEAD_BYTES / known.meanBytes)));
    return Scan.open(after, {
      open: (from) => openCursor(link, from, prefetch),
      warmUp: after + 1 >= known.judgedFrom ? 0 : WARM_UP_ENTRIES / 2,
      isDuplicate: (offset) => known.isDuplicate(offset),
      isWanted,
    });
  }

  /**
   * Clients control the points that they present: even if many present unknown points, the stream is read only a few
   * times per second.
   */
  #lookFurther(): Promise<void> {
    const look = async () => {
      await pause(Math.max(0, this.#lookedAt + LOOK_INTERVAL_MS - performance.now()), this.#options.signal);
      // Later callers may know of a newer entry, so they start another read.
      this.#looking = undefined;
      this.#lookedAt = performance.now();
      await this.#options.tail.catchUp(this.#options.timeoutMs);
    };
    this.#looking ??= look();
    return this.#looking;
  }

  async #checkBehind(link: AmqpConnection, known: Known, point: LogPoint): Promise<Presence> {
    const floor = await this.#readFloor(link);
    if (isSamePoint(point, floor)) return 'present';
    if (point.offset <= floor.offset) return floor.offset === 0 ? 'replaced' : 'truncated';
    if (point.offset >= known.entries.first) return 'replaced';
    const entry = await this.#entryFrom(link, point.offset);
    if (entry.offset === point.offset) return entry.fingerprint === point.fingerprint ? 'present' : 'replaced';
    this.#floor = undefined;
    return (await this.#readFloor(link)).offset >= point.offset ? 'truncated' : 'replaced';
  }

  async #readFloor(link: AmqpConnection): Promise<LogPoint> {
    if (this.#floor && performance.now() - this.#floor.at < FLOOR_AGE_MS) return this.#floor.point;
    return this.#rememberFloor(pointBefore(await this.#entryFrom(link, 'first')));
  }

  #rememberFloor(point: LogPoint): LogPoint {
    this.#floor = { point, at: performance.now() };
    return point;
  }

  async #entryFrom(link: AmqpConnection, from: number | 'first'): Promise<StreamEntry> {
    const cursor = await this.#options.openCursor(link, from, 1);
    try {
      const entry = await cursor.next(STALL_MS);
      if (!entry) throw new Error(`RabbitMQ sent nothing from the stream for ${STALL_MS} ms`);
      return entry;
    } finally {
      await cursor.close();
    }
  }

  /** Runs `work` when fewer than {@link MOST_READS} other reads are active. */
  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#reads >= MOST_READS) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#reads += 1;
    try {
      return await work();
    } finally {
      const next = this.#turns.shift();
      if (next) next();
      else this.#reads -= 1;
    }
  }

  /** Retries with backoff until the time limit, on a new connection if the previous one was lost. */
  async retry<Result>(work: (link: AmqpConnection) => Promise<Result>): Promise<Result> {
    const { connection, timeoutMs, signal } = this.#options;
    const deadline = performance.now() + timeoutMs;
    const backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
    for (;;) {
      try {
        return await work(await answerWithin(deadline - performance.now(), 'connecting', connection.link()));
      } catch (error) {
        if (signal.aborted) throw new PregonError('LOG_CLOSED', 'the log is closed', { cause: error });
        if (performance.now() >= deadline) throw toUnavailable(error);
      }
      await pause(backoff.nextMs(), signal);
    }
  }
}
