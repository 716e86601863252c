import type { LogPoint } from '@pregon/protocol';
import type { LogEntry } from '../../../core/ports/log-entry.js';
import type { EventAttributes } from '../../../core/ports/stored-entry.js';

/** An event that readers get, unless it is there a second time. */
export interface EventEntry extends LogPoint {
  readonly kind: 'event';
  readonly event: LogEntry;
  /** The same for two entries where their `source` and `id` are. */
  readonly key: string;
  readonly id: string;
  readonly attributes: EventAttributes;
}

/** Put into the stream to learn where it ends; readers never see it, and points never name it where they can name something else. */
export interface FenceEntry extends LogPoint {
  readonly kind: 'fence';
  readonly id: string;
}

/** A message that no reader gets: it is no event, and cannot be made one. */
export interface PoisonEntry extends LogPoint {
  readonly kind: 'poison';
  readonly reason: string;
}

/** What the stream holds at an offset. Ours are those of the broker plus one, so that 0 lies before the first entry. */
export type StreamEntry = EventEntry | FenceEntry | PoisonEntry;

export function toPoint({ offset, fingerprint }: LogPoint): LogPoint {
  return { offset, fingerprint };
}

export function isSamePoint(a: LogPoint, b: LogPoint): boolean {
  return a.offset === b.offset && a.fingerprint === b.fingerprint;
}

/** The point before an entry that is the first of its stream: what it holds of the entry proves whose stream it is. */
export function pointBefore(first: LogPoint): LogPoint {
  return { offset: first.offset - 1, fingerprint: first.fingerprint };
}
