import type { NumberedEvents, OwnEvent } from './numbered-event.js';

/** What is known of an event that has come, whatever connection it has come on. */
export interface Sighting {
  /** Where the event stands in the log, larger for later ones. */
  readonly offset: number;
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

/** `,"position":"<offset>.<14 digits>"}` ends each event: a gateway puts it there. */
const BEFORE_POSITION = Buffer.from(',"position":"');
const AFTER_OFFSET = '.00000000000000"}'.length;
const MAX_OFFSET_DIGITS = 11;

const DOT = 46;
const QUOTE = 34;
const BRACE = 125;

/**
 * Reads events. The same event has the same bytes on all connections, so it is read when it comes first; after that its bytes are
 * compared, which costs a tenth.
 */
export class Sightings {
  readonly #events: NumberedEvents;
  readonly #remembered: (Remembered | undefined)[] = new Array(SLOTS).fill(undefined);

  constructor(events: NumberedEvents) {
    this.#events = events;
  }

  /** Undefined where the frame is no event. */
  read(frame: Buffer): Sighting | undefined {
    const offset = readOffset(frame);
    if (offset === undefined) return undefined;
    const slot = offset % SLOTS;
    const remembered = this.#remembered[slot];
    if (remembered !== undefined && remembered.offset === offset && remembered.bytes.equals(frame)) return remembered;
    const sighting = this.#look(frame, offset);
    // Bytes of its own: what a connection hands out is a part of a larger buffer, all of which would be kept.
    if (frame.length <= MAX_REMEMBERED_BYTES) {
      this.#remembered[slot] = { ...sighting, bytes: Buffer.concat([frame]) };
    }
    return sighting;
  }

  #look(frame: Buffer, offset: number): Sighting {
    const start = frame.lastIndexOf(BEFORE_POSITION) + BEFORE_POSITION.length;
    const position = frame.toString('latin1', start, frame.length - 2);
    const own = this.#events.read(frame);
    return { offset, position, own, happenedMicros: own ? undefined : timeOf(frame) };
  }
}

/** In base 36, behind the last quote but one. */
function readOffset(frame: Buffer): number | undefined {
  const length = frame.length;
  let at = length - AFTER_OFFSET;
  if (at < BEFORE_POSITION.length || frame[at] !== DOT) return undefined;
  if (frame[length - 1] !== BRACE || frame[length - 2] !== QUOTE) return undefined;
  let offset = 0;
  let weight = 1;
  for (let digits = 0; digits < MAX_OFFSET_DIGITS; digits++) {
    at -= 1;
    const value = base36(frame[at] ?? 0);
    if (value === -1) break;
    offset += value * weight;
    weight *= 36;
    if (frame[at - 1] === QUOTE) return endsWith(frame, at, BEFORE_POSITION) ? offset : undefined;
  }
  return undefined;
}

function endsWith(frame: Buffer, end: number, text: Buffer): boolean {
  for (let i = 1; i <= text.length; i++) if (frame[end - i] !== text[text.length - i]) return false;
  return true;
}

function base36(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  return byte >= 97 && byte <= 122 ? byte - 87 : -1;
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
