import type { LogPoint } from '@pregon/protocol';
import type { Presence } from '../../../core/ports/log-entry.js';
import type { EncodedEvent } from '../encode.js';
import { eventKey } from './new-events.js';

/** An event without its payload; `place` tells where the payload is. */
export interface Indexed<Place> extends Omit<EncodedEvent, 'payload'>, LogPoint {
  readonly place: Place;
  /** The size of its payload, in bytes. */
  readonly size: number;
}

/**
 * The events of a log, and what it remembers about dropped ones. Offsets are dense and begin after that of the floor.
 */
export interface Content<Place> {
  readonly birth: LogPoint;
  floor: LogPoint;
  readonly entries: Indexed<Place>[];
  /** By {@link eventKey}. */
  readonly known: Map<string, Indexed<Place>>;
  /** The highest dropped sequence, by source. */
  readonly dropped: Map<string, number>;
}

export function newContent<Place>(birth: LogPoint): Content<Place> {
  return { birth, floor: birth, entries: [], known: new Map(), dropped: new Map() };
}

/** @see Log.check */
export function hasExactly({ floor, birth, entries }: Content<unknown>, point: LogPoint): Presence {
  if (point.offset < floor.offset) {
    return point.offset === 0 && point.fingerprint !== birth.fingerprint ? 'replaced' : 'truncated';
  }
  const there = point.offset === floor.offset ? floor : entries[point.offset - floor.offset - 1];
  return there?.fingerprint === point.fingerprint ? 'present' : 'replaced';
}

/** @see Log.locate */
export function locateIn(
  { entries, dropped, floor }: Content<unknown>,
  sequence: number,
  source: string | undefined,
): LogPoint | undefined {
  const ofSource = entries.filter((entry) => source === undefined || entry.source === source);
  const reached = ofSource.some((entry) => (entry.sequence ?? -1) >= sequence);
  if (!reached && sequence > 0) {
    const gone = source === undefined ? Math.max(...dropped.values()) : dropped.get(source);
    return gone === sequence && entries.length === 0 ? floor : undefined;
  }
  let found: Indexed<unknown> | undefined;
  for (const entry of ofSource) {
    if (entry.sequence === undefined || entry.sequence > sequence) continue;
    if (entry.sequence >= (found?.sequence ?? 0)) found = entry;
  }
  if (found) return pointOf(found);
  return (source === undefined ? dropped.size > 0 : dropped.has(source)) ? undefined : floor;
}

/** @returns the number of dropped events */
export function dropFirst(content: Content<unknown>, count: number): number {
  for (const entry of content.entries.splice(0, count)) {
    content.known.delete(eventKey(entry));
    content.floor = pointOf(entry);
    if (entry.sequence === undefined) continue;
    content.dropped.set(entry.source, Math.max(entry.sequence, content.dropped.get(entry.source) ?? 0));
  }
  return count;
}

export function lastPoint({ entries, floor }: Content<unknown>): LogPoint {
  const last = entries.at(-1);
  return last ? pointOf(last) : floor;
}

export function pointOf({ offset, fingerprint }: LogPoint): LogPoint {
  return { offset, fingerprint };
}
