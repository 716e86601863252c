import { randomBytes, randomInt } from 'node:crypto';
import { DEFAULT_MAX_EVENT_BYTES, type LogPoint, PregonError, type PregonEvent } from '@pregon/protocol';
import type { Ephemeral } from '../../core/ports/ephemeral.js';
import type { Log, LogOptions } from '../../core/ports/log.js';
import type {
  LogEntry,
  LogFollower,
  Presence,
  ReadPage,
  ReadRequest,
  StopFollowing,
} from '../../core/ports/log-entry.js';
import type { EventAttributes, FindRequest, Found, StoredEntry } from '../../core/ports/stored-entry.js';
import { type EncodedEvent, encodeForAppend } from '../shared/encode.js';
import { Follower, type Step } from '../shared/follower.js';
import { findLimit, toFound } from '../shared/found.js';
import { type Range, toRange } from '../shared/range.js';
import { assertRetention, type Retention, type TrimResult } from '../shared/retention.js';
import { isSameEvent, ReusedId } from '../shared/same-event.js';
import { MemoryEphemeral } from './memory-ephemeral.js';
import { MemoryKept } from './memory-kept.js';

export interface MemoryLog extends Log {
  readonly ephemeral: Ephemeral;
  trim(limits: Pick<Retention, 'maxCount'>): Promise<TrimResult>;
  /** Puts a new, empty log in the place of this one, as when a file is replaced. */
  replace(): void;
}

/** A log that one process keeps for itself, with the guarantees of the others but for durability. For tests. */
export function openMemoryLog(options: LogOptions = {}): MemoryLog {
  return new ArrayLog(options);
}

interface Stored extends LogEntry {
  readonly key: string;
  readonly id: string;
  readonly attributes: EventAttributes;
}

/** What a replacement replaces. */
interface Content {
  readonly birth: LogPoint;
  floor: LogPoint;
  entries: Stored[];
  readonly known: Map<string, LogPoint>;
  /** The highest sequence that was dropped, by source. */
  readonly dropped: Map<string, number>;
}

class ArrayLog implements MemoryLog {
  readonly name = 'memory:';
  readonly #secret = randomBytes(32);
  readonly ephemeral = new MemoryEphemeral();
  readonly kept = new MemoryKept(() => this.#assertOpen());
  readonly #exchanges: ReadonlySet<string> | undefined;
  readonly #maxEventBytes: number;
  readonly #followers = new Set<Follower>();
  #content = newContent();
  #closed = false;

  constructor(options: LogOptions) {
    this.#exchanges = options.exchanges && new Set(options.exchanges);
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
  }

  async append(events: readonly PregonEvent[]): Promise<LogPoint[]> {
    this.#assertOpen();
    const encoded = encodeForAppend(events, this.#maxEventBytes);
    this.#assertUnused(encoded);
    const { known, entries } = this.#content;
    const points = encoded.map((event) => {
      const key = toKey(event.source, event.id);
      const first = known.get(key);
      if (first) return first;
      const point = { offset: this.#last().offset + 1, fingerprint: event.fingerprint };
      entries.push({ ...event, ...point, key });
      known.set(key, point);
      return point;
    });
    this.#wake();
    return points;
  }

  async secret(): Promise<Uint8Array> {
    this.#assertOpen();
    return this.#secret;
  }

  async head(): Promise<LogPoint> {
    this.#assertOpen();
    return this.#last();
  }

  async floor(): Promise<LogPoint> {
    this.#assertOpen();
    return this.#content.floor;
  }

  async check(point: LogPoint): Promise<Presence> {
    this.#assertOpen();
    return this.#check(point);
  }

  async read(request: ReadRequest): Promise<ReadPage> {
    this.#assertOpen();
    return this.#page(toRange(request));
  }

  async detail(point: LogPoint): Promise<StoredEntry | undefined> {
    this.#assertOpen();
    const entry = this.#content.entries[point.offset - this.#content.floor.offset - 1];
    return entry?.fingerprint === point.fingerprint && this.#isWanted(entry) ? toStored(entry) : undefined;
  }

  async find(request: FindRequest): Promise<Found> {
    this.#assertOpen();
    const limit = findLimit(request);
    const { id, source = undefined } = request;
    const found = this.#content.entries.filter(
      (entry) => entry.id === id && (source === undefined || entry.source === source) && this.#isWanted(entry),
    );
    return toFound(found.map(toStored), limit);
  }

  async locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined> {
    this.#assertOpen();
    const { entries, dropped, floor } = this.#content;
    const ofSource = entries.filter((entry) => source === undefined || entry.source === source);
    const reached = ofSource.some((entry) => (entry.sequence ?? -1) >= sequence);
    if (!reached && sequence > 0) {
      const gone = source === undefined ? Math.max(...dropped.values()) : dropped.get(source);
      return gone === sequence && entries.length === 0 ? floor : undefined;
    }
    let found: LogEntry | undefined;
    for (const entry of ofSource) {
      if (entry.sequence === undefined || entry.sequence > sequence) continue;
      if (entry.sequence >= (found?.sequence ?? 0)) found = entry;
    }
    if (found) return toPoint(found);
    return (source === undefined ? dropped.size > 0 : dropped.has(source)) ? undefined : floor;
  }

  follow(after: LogPoint, target: LogFollower): StopFollowing {
    this.#assertOpen();
    const follower = new Follower(after, target, (cursor) => this.#step(cursor));
    this.#followers.add(follower);
    return async () => {
      follower.stop();
      this.#followers.delete(follower);
    };
  }

  async trim(limits: Pick<Retention, 'maxCount'>): Promise<TrimResult> {
    this.#assertOpen();
    assertRetention(limits);
    const content = this.#content;
    const count = Math.max(0, content.entries.length - (limits.maxCount ?? Number.POSITIVE_INFINITY));
    for (const entry of content.entries.splice(0, count)) {
      content.known.delete(entry.key);
      content.floor = toPoint(entry);
      if (entry.sequence !== undefined)
        content.dropped.set(entry.source, Math.max(entry.sequence, content.dropped.get(entry.source) ?? 0));
    }
    return { dropped: count, floor: content.floor };
  }

  replace(): void {
    this.#content = newContent();
    this.kept.replace();
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
    this.kept.close();
    this.ephemeral.close();
  }

  /** @throws ReusedId */
  #assertUnused(events: readonly EncodedEvent[]): void {
    const { known, entries, floor } = this.#content;
    const payloads = new Map<string, Uint8Array>();
    for (const event of events) {
      const key = toKey(event.source, event.id);
      const first = known.get(key);
      const payload = payloads.get(key) ?? (first && entries[first.offset - floor.offset - 1]?.payload);
      if (payload && !isSameEvent(event.payload, payload)) throw new ReusedId(event);
      payloads.set(key, payload ?? event.payload);
    }
  }

  #last(): LogPoint {
    const last = this.#content.entries.at(-1);
    return last ? toPoint(last) : this.#content.floor;
  }

  #check(point: LogPoint): Presence {
    const { floor, birth, entries } = this.#content;
    if (point.offset < floor.offset) {
      return point.offset === 0 && point.fingerprint !== birth.fingerprint ? 'replaced' : 'truncated';
    }
    const there = point.offset === floor.offset ? floor : entries[point.offset - floor.offset - 1];
    return there?.fingerprint === point.fingerprint ? 'present' : 'replaced';
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
      page.push(toEntry(entry));
      bytes += entry.payload.length;
    }
    const next = entries[index];
    const end = entries[Math.min(index, entries.length, Math.max(0, through - floor.offset)) - 1];
    return { entries: page, through: end ? toPoint(end) : floor, complete: !next || next.offset > through };
  }

  #isWanted({ exchange }: LogEntry): boolean {
    return this.#exchanges === undefined || this.#exchanges.has(exchange);
  }

  #step(after: LogPoint): Step {
    if (this.#check(after) !== 'present') return { kind: 'replaced', head: this.#last() };
    const page = this.#page(toRange({ after: after.offset }));
    return { kind: 'page', page, atHead: page.through.offset >= this.#last().offset };
  }

  #wake(): void {
    for (const follower of this.#followers) follower.wake();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
  }
}

function toKey(source: string, id: string): string {
  return JSON.stringify([source, id]);
}

function toEntry({ key: _key, id: _id, attributes: _attributes, ...entry }: Stored): LogEntry {
  return entry;
}

function toStored({ key: _, attributes, ...entry }: Stored): StoredEntry {
  return { ...entry, ...attributes };
}

function newContent(): Content {
  const birth = { offset: 0, fingerprint: randomInt(2 ** 32) * 2 ** 15 + randomInt(2 ** 15) };
  return { birth, floor: birth, entries: [], known: new Map(), dropped: new Map() };
}

function toPoint(point: LogPoint): LogPoint {
  return { offset: point.offset, fingerprint: point.fingerprint };
}
