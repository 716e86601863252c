import { DEFAULT_MAX_EVENT_BYTES, type LogPoint, PregonError, type PregonEvent } from '@pregon/protocol';
import type { Log, LogOptions } from '../../../core/ports/log.js';
import type {
  LogEntry,
  LogFollower,
  Presence,
  ReadPage,
  ReadRequest,
  StopFollowing,
} from '../../../core/ports/log-entry.js';
import type { FindRequest, Found, StoredEntry } from '../../../core/ports/stored-entry.js';
import { type EncodedEvent, encodeForAppend } from '../encode.js';
import { Follower, type Step } from '../follower.js';
import { findLimit, toFound } from '../found.js';
import { type Range, toRange } from '../range.js';
import {
  type Content,
  dropFirst,
  hasExactly,
  type Indexed,
  lastPoint,
  locateIn,
  newContent,
  pointOf,
} from './event-index.js';
import { KeptSet, type KeptSetOptions } from './kept-set.js';
import { eventKey, newEvents } from './new-events.js';

/**
 * A log that one process has open, with everything except the payloads in memory. It reads, finds and follows. A
 * subclass stores: it makes events durable, passes them to {@link IndexedLog.add}, and returns payloads.
 *
 * @typeParam Place tells where a payload is
 */
export abstract class IndexedLog<Place> implements Log {
  abstract readonly name: string;
  readonly kept: KeptSet;
  readonly #exchanges: ReadonlySet<string> | undefined;
  readonly #maxEventBytes: number;
  readonly #followers = new Set<Follower>();
  #content: Content<Place>;
  #closed = false;

  /** @param birth the point before the first event; unique to this log */
  constructor(birth: LogPoint, options: LogOptions, kept: Omit<KeptSetOptions, 'assertOpen'> = {}) {
    this.#content = newContent(birth);
    this.#exchanges = options.exchanges && new Set(options.exchanges);
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
    this.kept = new KeptSet({ ...kept, assertOpen: () => this.assertOpen() });
  }

  abstract append(events: readonly PregonEvent[]): Promise<LogPoint[]>;
  abstract secret(): Promise<Uint8Array>;

  /** Reads a payload without waiting. If it throws, the log counts as unavailable. */
  protected abstract payloadAt(place: Place, size: number): Uint8Array;

  /** @throws PregonError LOG_CLOSED | EVENT_INVALID | EVENT_TOO_LARGE */
  protected encode(events: readonly PregonEvent[]): EncodedEvent[] {
    this.assertOpen();
    return encodeForAppend(events, this.#maxEventBytes);
  }

  /**
   * Selects the events that must be stored, by {@link eventKey}: each once, without those that are already stored.
   *
   * @param staged events that are about to be stored
   * @throws ReusedId
   */
  protected fresh(
    events: readonly EncodedEvent[],
    staged: ReadonlyMap<string, EncodedEvent> = new Map(),
  ): Map<string, EncodedEvent> {
    return newEvents(events, (key) => {
      const known = this.#content.known.get(key);
      return known ? this.payloadAt(known.place, known.size) : staged.get(key)?.payload;
    });
  }

  /**
   * Makes events visible to readers and followers. Must be called when they are durable, in their order, once for each
   * event.
   */
  protected add(events: Iterable<EncodedEvent>, places: readonly Place[]): void {
    const { entries, known } = this.#content;
    let index = 0;
    for (const { payload, ...event } of events) {
      const place = places[index++];
      if (place === undefined) throw new TypeError('each event needs a place: there are more events than places');
      const entry = { ...event, offset: lastPoint(this.#content).offset + 1, place, size: payload.length };
      entries.push(entry);
      known.set(eventKey(event), entry);
    }
    this.#wake();
  }

  /** Returns the points of events that are stored. */
  protected pointsOf(events: readonly EncodedEvent[]): LogPoint[] {
    return events.flatMap((event) => {
      const entry = this.#content.known.get(eventKey(event));
      return entry ? pointOf(entry) : [];
    });
  }

  /** Drops all but the last `count` events. @returns the number of dropped events */
  protected dropAllBut(count: number): number {
    return dropFirst(this.#content, Math.max(0, this.#content.entries.length - count));
  }

  /** Replaces the content: another log has taken the place of this one. */
  protected startOver(birth: LogPoint): void {
    this.#content = newContent(birth);
    this.kept.replace();
    this.#wake();
  }

  /** @throws PregonError LOG_CLOSED */
  protected assertOpen(): void {
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
  }

  async head(): Promise<LogPoint> {
    this.assertOpen();
    return lastPoint(this.#content);
  }

  async floor(): Promise<LogPoint> {
    this.assertOpen();
    return this.#content.floor;
  }

  async check(point: LogPoint): Promise<Presence> {
    this.assertOpen();
    return hasExactly(this.#content, point);
  }

  async read(request: ReadRequest): Promise<ReadPage> {
    this.assertOpen();
    return this.#page(toRange(request));
  }

  async detail(point: LogPoint): Promise<StoredEntry | undefined> {
    this.assertOpen();
    const entry = this.#content.entries[point.offset - this.#content.floor.offset - 1];
    return entry?.fingerprint === point.fingerprint && this.#isWanted(entry) ? this.#stored(entry) : undefined;
  }

  async find(request: FindRequest): Promise<Found> {
    this.assertOpen();
    const limit = findLimit(request);
    const { id, source } = request;
    const { known, entries } = this.#content;
    const candidates = source === undefined ? entries : [known.get(eventKey({ source, id })) ?? []].flat();
    const found = candidates.filter((entry) => entry.id === id && this.#isWanted(entry)).slice(0, limit + 1);
    return toFound(
      found.map((entry) => this.#stored(entry)),
      limit,
    );
  }

  async locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    this.assertOpen();
    return locateIn(this.#content, sequence, source);
  }

  follow(after: LogPoint, target: LogFollower): StopFollowing {
    this.assertOpen();
    const follower = new Follower(after, target, (cursor) => this.#step(cursor));
    this.#followers.add(follower);
    return async () => {
      follower.stop();
      this.#followers.delete(follower);
    };
  }

  /** Closes the log. A subclass first waits for its pending writes, and afterwards frees its resources. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
    await this.kept.close();
  }

  #page({ after, through, maxCount, maxBytes }: Range): ReadPage {
    const { entries, floor } = this.#content;
    const page: LogEntry[] = [];
    let bytes = 0;
    let index = Math.max(0, after - floor.offset);
    for (; index < entries.length && page.length < maxCount && bytes < maxBytes; index++) {
      const entry = entries[index];
      if (!entry || entry.offset > through) break;
      if (!this.#isWanted(entry)) continue;
      page.push(this.#entry(entry));
      bytes += entry.size;
    }
    const next = entries[index];
    const end = entries[Math.min(index, entries.length, Math.max(0, through - floor.offset)) - 1];
    return { entries: page, through: end ? pointOf(end) : floor, complete: !next || next.offset > through };
  }

  #step(after: LogPoint): Step {
    if (hasExactly(this.#content, after) !== 'present') return { kind: 'replaced', head: lastPoint(this.#content) };
    const page = this.#page(toRange({ after: after.offset }));
    return { kind: 'page', page, atHead: page.complete };
  }

  #wake(): void {
    for (const follower of this.#followers) follower.wake();
  }

  #isWanted({ exchange }: Indexed<Place>): boolean {
    return this.#exchanges === undefined || this.#exchanges.has(exchange);
  }

  #entry({ place, size, id: _id, attributes: _attributes, ...entry }: Indexed<Place>): LogEntry {
    return { ...entry, payload: this.payloadAt(place, size) };
  }

  #stored(entry: Indexed<Place>): StoredEntry {
    return { ...this.#entry(entry), ...entry.attributes, id: entry.id };
  }
}
