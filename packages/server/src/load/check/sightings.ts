import { POSITION_LENGTH } from '@pregon/protocol';
import type { NumberedEvents, OwnEvent } from '../numbered-event.js';
import type { Order } from './order.js';

/** What is known of an event that has come, whatever connection it has come on. */
export interface Sighting {
  /** Larger for later events; undefined if it is not known. */
  readonly ordinal: number | undefined;
  readonly position: string;
  /** Of this run; undefined for an event of somebody else. */
  readonly own: OwnEvent | undefined;
  /** When it happened by its `time`, in microseconds since 1970; undefined for one of this run, and where it does not say. */
  readonly happenedMicros: number | undefined;
}

interface Remembered extends Sighting {
  readonly bytes: Buffer;
}

/** How many events are remembered: the same one comes on all connections, some of which are behind others. */
const SLOTS = 1_024;

/** Larger events are read each time: what is remembered has at most 16 MiB. */
const MAX_REMEMBERED_BYTES = 16_384;

/** `,"position":"<35 characters>"}` ends each event: a gateway puts it there. */
const BEFORE_POSITION = Buffer.from(',"position":"');
const AFTER_POSITION = Buffer.from('"}');

/**
 * Reads events. The same event has the same bytes on all connections, so it is read when it comes first; after that its bytes are
 * compared, which costs a tenth.
 */
export class Sightings {
  readonly #events: NumberedEvents;
  readonly #order: Order;
  readonly #remembered: (Remembered | undefined)[] = new Array(SLOTS).fill(undefined);

  constructor(events: NumberedEvents, order: Order) {
    this.#events = events;
    this.#order = order;
  }

  /** Undefined where the frame is no event. */
  read(frame: Buffer): Sighting | undefined {
    const start = positionStart(frame);
    if (start === undefined) return undefined;
    // Positions are encrypted, so their first digits are as good as random.
    const slot = Number.parseInt(frame.toString('latin1', start, start + 4), 16) % SLOTS;
    const remembered = this.#remembered[slot];
    if (remembered?.bytes.equals(frame)) return remembered;
    const sighting = this.#look(frame, start);
    // Bytes of its own: what a connection hands out is a part of a larger buffer, all of which would be kept.
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
