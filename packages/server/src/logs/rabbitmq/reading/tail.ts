import { setImmediate as turn } from 'node:timers/promises';
import { type LogPoint, PregonError, toError } from '@pregon/protocol';
import { v7 as uuid } from 'uuid';
import { DEFAULT_PAGE_BYTES, DEFAULT_PAGE_COUNT } from '../../../core/ports/log.js';
import type { LogEntry, Page } from '../../../core/ports/log-entry.js';
import { Backoff } from '../../../core/time/backoff.js';
import { answerWithin, pause, within } from '../../../core/time/deadline.js';
import { reportUncaught } from '../../shared/report-uncaught.js';
import type { AmqpConnection } from '../connection/amqp-connection.js';
import type { RabbitConnection } from '../connection/connection.js';
import type { PoisonEntry, StreamEntry } from '../messages/stream-entry.js';
import type { Topology } from '../topology.js';
import type { Cursor } from './cursor.js';
import type { Known } from './known.js';
import { PointWaiters } from './point-waiters.js';
import { SharedRun } from './shared-run.js';
import { begin, type Fence, resume } from './tail-start.js';

/** The maximum silence of the broker while it has something to send. */
export const STALL_MS = 5_000;

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** Gets notified of changes at the end of the stream; the methods mean the same as those of LogFollower. */
export interface TailMember {
  arrived(page: Page): void;
  replaced(head: LogPoint): void;
  unavailable(error: Error): void;
  available(): void;
}

export interface TailOptions {
  readonly connection: RabbitConnection;
  readonly topology: Topology;
  readonly openCursor: (link: AmqpConnection, from: number | 'first' | 'last', prefetch?: number) => Promise<Cursor>;
  readonly publishFence: (id: string) => Promise<void>;
  readonly isWanted: (exchange: string) => boolean;
  /** The time limit from publishing a fence to reading it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onPoison: (entry: PoisonEntry) => void;
  /** Called for an event with the source and id of an earlier one; it is not delivered. */
  readonly onDuplicate: (duplicate: LogEntry, first: LogPoint | undefined) => void;
  /** Called when another stream has taken the place of this one: nothing that was known about it is valid. */
  readonly onReplaced: () => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reads the end of the stream, once for the whole process: for followers, for appends that need the points of their
 * events, and for callers that need the head. After a lost connection it continues where it was, and uses the
 * fingerprint of the last entry to verify that it is the same stream.
 */
export class Tail {
  readonly #options: TailOptions;
  readonly #members = new Set<TailMember>();
  readonly #pointWaiters = new PointWaiters();
  readonly #fences = new Map<string, { passed: (head: LogPoint) => void; failed: (error: Error) => void }>();
  readonly #waiters = new Set<Waiter>();
  readonly #fence = new SharedRun(() => this.#readUpToFence());
  readonly #backoff = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random);
  #known: Known | undefined;
  #attached = false;
  /** The known stream is gone, and the members have not been notified. */
  #replacing = false;
  #outage: Error | undefined;
  #running: Promise<void> | undefined;

  constructor(options: TailOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** Returns what is known about the end of the stream, kept up to date. The first call starts the reading. */
  async known(withinMs?: number): Promise<Known> {
    this.#running ??= this.#run();
    if (!this.#attached) await this.#untilAttached(withinMs);
    if (!this.#known) throw new PregonError('LOG_CLOSED', 'the log is closed');
    return this.#known;
  }

  /** What is known, if the stream is being read at this moment. */
  get current(): Known | undefined {
    return this.#attached ? this.#known : undefined;
  }

  /** Reads at least to the current end of the stream. @returns the head at that end */
  async catchUp(withinMs: number): Promise<LogPoint> {
    const deadline = performance.now() + withinMs;
    await this.known(withinMs);
    return answerWithin(deadline - performance.now(), 'reading up to the end of the stream', this.#fence.run());
  }

  /**
   * Calls `found` once when an event with this key has been read, or at once if it was read before.
   * @returns a function that stops waiting
   */
  seek(key: string, found: (point: LogPoint) => void): () => void {
    const point = this.#known?.entries.firstOf(key);
    if (!point) return this.#pointWaiters.wait(key, found);
    found(point);
    return () => {};
  }

  enter(member: TailMember): void {
    this.#members.add(member);
    const outage = this.#outage;
    if (!outage) return;
    queueMicrotask(() => {
      if (this.#members.has(member) && this.#outage === outage) member.unavailable(outage);
    });
  }

  leave(member: TailMember): void {
    this.#members.delete(member);
  }

  async #readUpToFence(): Promise<LogPoint> {
    const id = uuid();
    const passed = new Promise<LogPoint>((resolve, reject) => {
      this.#fences.set(id, { passed: resolve, failed: reject });
      this.#options.publishFence(id).catch(reject);
    });
    try {
      return await answerWithin(this.#options.timeoutMs, 'reading up to a fence', passed);
    } finally {
      this.#fences.delete(id);
    }
  }

  async #untilAttached(withinMs: number | undefined): Promise<void> {
    let waiter: Waiter | undefined;
    const attached = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject };
      this.#waiters.add(waiter);
      if (this.#options.signal.aborted) this.#close();
    });
    const late = () => {
      throw this.#unavailable();
    };
    try {
      await (withinMs === undefined ? attached : within(withinMs, attached, late));
    } finally {
      if (waiter) this.#waiters.delete(waiter);
    }
  }

  #unavailable(): PregonError {
    const why = this.#outage ? `: ${this.#outage.message}` : '';
    return new PregonError('LOG_UNAVAILABLE', `the stream cannot be read${why}`, { cause: this.#outage });
  }

  #close(): void {
    const closed = new PregonError('LOG_CLOSED', 'the log is closed');
    for (const waiter of this.#waiters) waiter.reject(closed);
    for (const { failed } of this.#fences.values()) failed(closed);
    this.#members.clear();
  }

  async #run(): Promise<void> {
    const { connection, signal } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#readThrough(await connection.link());
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(toError(error));
        await pause(this.#backoff.nextMs(), signal);
      }
    }
  }

  /** Returns only when the log is closed; otherwise throws. */
  async #readThrough(link: AmqpConnection): Promise<void> {
    const { topology } = this.#options;
    try {
      await topology.prepareAll(link);
      const { cursor, known } = await this.#attach(link);
      await this.#follow(cursor, known);
    } catch (error) {
      // The queue itself may have been deleted.
      topology.forget(link);
      throw error;
    }
  }

  async #attach(link: AmqpConnection): Promise<{ cursor: Cursor; known: Known }> {
    const fence: Fence = { id: uuid(), publish: this.#options.publishFence };
    const { openCursor } = this.#options;
    if (this.#known) {
      const cursor = await resume((from, prefetch) => openCursor(link, from, prefetch), this.#known.last, fence);
      if (cursor) return { cursor, known: this.#known };
      this.#forget();
    }
    return begin(
      (from, prefetch) => openCursor(link, from, prefetch),
      fence,
      (known, entry) => this.#take(known, entry),
    );
  }

  #forget(): void {
    this.#known = undefined;
    this.#replacing = true;
    this.#options.onReplaced();
    const replaced = new PregonError('LOG_UNAVAILABLE', 'the stream was replaced');
    for (const { failed } of this.#fences.values()) failed(replaced);
  }

  async #follow(cursor: Cursor, known: Known): Promise<void> {
    try {
      this.#enterAttached(known);
      while (!this.#options.signal.aborted) {
        await cursor.ready();
        this.#advance(cursor, known);
        await turn();
      }
    } finally {
      this.#attached = false;
      await cursor.close();
    }
  }

  #enterAttached(known: Known): void {
    this.#known = known;
    this.#attached = true;
    this.#backoff.reset();
    const replaced = this.#replacing;
    const outage = this.#outage;
    this.#replacing = false;
    this.#outage = undefined;
    if (replaced) this.#tell((member) => member.replaced(known.head));
    if (outage) this.#tell((member) => member.available());
    for (const waiter of this.#waiters) waiter.resolve();
  }

  #fail(error: Error): void {
    if (this.#outage) return;
    this.#outage = error;
    this.#tell((member) => member.unavailable(error));
  }

  /** Passes on one page of the entries that have arrived. */
  #advance(cursor: Cursor, known: Known): void {
    const { offset } = known.head;
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (let count = 0; count < DEFAULT_PAGE_COUNT && bytes < DEFAULT_PAGE_BYTES; count++) {
      const entry = cursor.take();
      if (!entry) break;
      const event = this.#take(known, entry);
      if (entry.kind === 'poison') this.#options.onPoison(entry);
      if (!event) continue;
      entries.push(event);
      bytes += event.payload.length;
    }
    if (known.head.offset > offset) this.#tell((member) => member.arrived({ entries, through: known.head }));
  }

  /** @returns the event to deliver, if the entry is one */
  #take(known: Known, entry: StreamEntry): LogEntry | undefined {
    const isDuplicate = known.add(entry);
    if (entry.kind === 'fence') this.#fences.get(entry.id)?.passed(known.head);
    if (entry.kind !== 'event') return undefined;
    const first = isDuplicate ? known.entries.firstOf(entry.key) : undefined;
    this.#pointWaiters.found(entry.key, first ?? { offset: entry.offset, fingerprint: entry.fingerprint });
    if (isDuplicate) this.#options.onDuplicate(entry.event, first);
    if (isDuplicate || !this.#options.isWanted(entry.event.exchange)) return undefined;
    known.events.push(entry.event);
    return entry.event;
  }

  #tell(what: (member: TailMember) => void): void {
    for (const member of this.#members) reportUncaught(() => what(member));
  }
}
