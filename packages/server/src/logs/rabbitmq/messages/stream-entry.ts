import type { LogPoint } from '@pregon/protocol';
import type { LogEntry } from '../../../core/ports/log-entry.js';
import type { EventAttributes } from '../../../core/ports/stored-entry.js';

/** An event that readers get, unless it is a repetition. */
export interface EventEntry extends LogPoint {
  readonly kind: 'event';
  readonly event: LogEntry;
  /** Equal for two entries if and only if their `source` and `id` are equal. */
  readonly key: string;
  readonly id: string;
  readonly attributes: EventAttributes;
}

/**
 * A message that shows where the stream ends. Readers never get it, and points refer to other entries whenever
 * possible.
 */
export interface FenceEntry extends LogPoint {
  readonly kind: 'fence';
  readonly id: string;
}

/** A message that no reader gets: it is not an event, and none can be made from it. */
export interface PoisonEntry extends LogPoint {
  readonly kind: 'poison';
  readonly reason: string;
}

/** An entry of the stream. Its offset is that of the broker plus one, so that 0 is before the first entry. */
export type StreamEntry = EventEntry | FenceEntry | PoisonEntry;

export function toPoint({ offset, fingerprint }: LogPoint): LogPoint {
  return { offset, fingerprint };
}

export function isSamePoint(a: LogPoint, b: LogPoint): boolean {
  return a.offset === b.offset && a.fingerprint === b.fingerprint;
}

/**
 * Returns the point before the first entry of a stream. It has the fingerprint of that entry, which identifies the
 * stream.
 */
export function pointBefore(first: LogPoint): LogPoint {
  return { offset: first.offset - 1, fingerprint: first.fingerprint };
}
