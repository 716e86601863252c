import { POSITION_LENGTH } from '@pregon/protocol';
import type { NumberedEvents, OwnEvent } from '../numbered-event.js';
import type { Order } from './order.js';

/** What is known about an event that arrived, independent of the connection. */
export interface Sighting {
  /** Larger for later events; undefined if it is not known. */
  readonly ordinal: number | undefined;
  readonly position: string;
  /** The event of this run; undefined for an event from another publisher. */
  readonly own: OwnEvent | undefined;
  /** The event's `time` in microseconds since 1970; undefined for an event of this run, or without a valid `time`. */
  readonly happenedMicros: number | undefined;
}

interface Remembered extends Sighting {
  readonly bytes: Buffer;
}

/** How many events are remembered: each arrives on all connections, some of which are behind others. */
const SLOTS = 1_024;

/** Larger events are parsed each time, so that remembered events take at most 16 MiB. */
const MAX_REMEMBERED_BYTES = 16_384;

/** `,"position":"<35 characters>"}` ends each event; the gateway adds it. */
const BEFORE_POSITION = Buffer.from(',"position":"');
const AFTER_POSITION = Buffer.from('"}');

/**
 * Parses events. An event has the same bytes on all connections, so it is parsed when it first arrives. Later arrivals
 * are compared with the remembered bytes, at a tenth of the cost.
 */
export class Sightings {
  readonly #events: NumberedEvents;
  readonly #order: Order;
  readonly #remembered: (Remembered | undefined)[] = new Array(SLOTS).fill(undefined);

  constructor(events: NumberedEvents, order: Order) {
    this.#events = events;
    this.#order = order;
  }

  /** Undefined if the frame is not an event. */
  read(frame: Buffer): Sighting | undefined {
    const start = positionStart(frame);
    if (start === undefined) return undefined;
    // Positions are encrypted, so their first digits are evenly distributed.
    const slot = Number.parseInt(frame.toString('latin1', start, start + 4), 16) % SLOTS;
    const remembered = this.#remembered[slot];
    if (remembered?.bytes.equals(frame)) return remembered;
    const sighting = this.#look(frame, start);
    // Copy the bytes: the frame is a part of a larger read buffer, which is reused or would be kept in memory as a
    // whole.
    if (frame.length <= MAX_REMEMBERED_BYTES) {
      this.#remembered[slot] = { ...sighting, bytes: Buffer.concat([frame]) };
    }
    return sighting;
  }

  #look(frame: Buffer, start: number): Sighting {
    const position = frame.toString('latin1', start, start + POSITION_LENGTH);
    const own = this.#events.read(frame);
    return {
      ordinal: this.#order.of(position, own?.number),
      position,
      own,
      happenedMicros: own ? undefined : timeOf(frame),
    };
  }
}

/** Where the position begins; undefined if the frame is not an event. */
function positionStart(frame: Buffer): number | undefined {
  const start = frame.length - AFTER_POSITION.length - POSITION_LENGTH;
  const isEvent = holdsAt(frame, start + POSITION_LENGTH, AFTER_POSITION) && holdsBefore(frame, start, BEFORE_POSITION);
  return isEvent ? start : undefined;
}

function holdsAt(frame: Buffer, at: number, text: Buffer): boolean {
  if (at < 0) return false;
  for (let i = 0; i < text.length; i++) if (frame[at + i] !== text[i]) return false;
  return true;
}

function holdsBefore(frame: Buffer, end: number, text: Buffer): boolean {
  return holdsAt(frame, end - text.length, text);
}

function timeOf(frame: Buffer): number | undefined {
  try {
    const event: unknown = JSON.parse(frame.toString('utf8'));
    if (typeof event !== 'object' || event === null || !('time' in event)) return undefined;
    const milliseconds = Date.parse(String(event.time));
    return Number.isNaN(milliseconds) ? undefined : milliseconds * 1_000;
  } catch {
    return undefined;
  }
}
