import type { DeliveredEvent, Format } from '../../../core/ports/delivery.js';
import { compressedTextFrame } from '../../sockets/websocket-frame.js';
import { type EventFormats, eventFrames } from '../event-formats.js';
import { ContinuedEvents } from './continued-events.js';
import { deflateMessage } from './deflate.js';

/**
 * The most bytes of events and frames in the cache. All events of a chunk fit, and usually those of a flush, whose
 * chunks are encoded one right after the other.
 */
const KEPT_BYTES = 4_194_304;

/** The approximate cost of a cached event besides its bytes. */
const ENTRY_BYTES = 200;

/**
 * For this many connections or more, events are always compressed together. For fewer, only if none of the events was
 * compressed before. If many connections each select different events, it is cheaper to compress each event once and to
 * reuse its frame.
 */
const MANY = 4;

interface Kept {
  /** Undefined if the event was only compressed together with others. */
  frame: Buffer | undefined;
}

/** Marks an event that is sent uncompressed. */
const PLAIN = Buffer.alloc(0);

const BATCH_HEAD = Buffer.from('{"op":"batch","events":[');
const BATCH_TAIL = Buffer.from(']}');
const COMMA = 0x2c;

/**
 * Compresses each event once for all connections that accept compressed messages, even if each selects different events
 * of a flush.
 */
export class CompressedEvents implements EventFormats {
  /** One frame for each event. */
  readonly separate: Format;
  /**
   * All events of a chunk in one `batch` frame, which compresses what they have in common; one frame for each event if
   * a batch does not pay off.
   */
  readonly together: Format;
  /** The same formats, with continuations for clients that keep their context between messages. */
  readonly remembered: EventFormats;
  readonly #thresholdBytes: number;
  /** A cache in two generations: when this one is full, it replaces the older one. */
  #kept = new Map<DeliveredEvent, Kept>();
  #keptBefore = new Map<DeliveredEvent, Kept>();
  #keptBytes = 0;

  /** @param thresholdBytes messages with fewer bytes are sent uncompressed */
  constructor(thresholdBytes: number) {
    this.#thresholdBytes = thresholdBytes;
    const size = (event: DeliveredEvent) => this.#size(event);
    const write = (event: DeliveredEvent, target: Buffer, at: number) => this.#write(event, target, at);
    this.separate = { size, write };
    this.together = { size, write, together: (events, takers) => this.#batch(events, takers) };
    const continued = {
      separate: new ContinuedEvents(thresholdBytes, (events) => events.map(textOf)),
      together: new ContinuedEvents(thresholdBytes, (events) => this.#togetherTexts(events)),
    };
    this.remembered = { separate: this.separate, together: this.together, continued };
  }

  #size(event: DeliveredEvent): number {
    const frame = this.#frame(event);
    return frame === PLAIN ? eventFrames.size(event) : frame.length;
  }

  #write(event: DeliveredEvent, target: Buffer, at: number): number {
    const frame = this.#frame(event);
    if (frame === PLAIN) return eventFrames.write(event, target, at);
    target.set(frame, at);
    return at + frame.length;
  }

  #batch(events: readonly DeliveredEvent[], takers: number): Buffer | undefined {
    const size = batchSize(events);
    if (events.length < 2 || size < this.#thresholdBytes) return undefined;
    if (takers < MANY && events.some((event) => this.#find(event))) return undefined;
    for (const event of events) this.#keep(event);
    return compress(batchText(events, size));
  }

  #togetherTexts(events: readonly DeliveredEvent[]): readonly Buffer[] {
    const size = batchSize(events);
    const isSeparate = events.length < 2 || size < this.#thresholdBytes;
    return isSeparate ? events.map(textOf) : [batchText(events, size)];
  }

  #frame(event: DeliveredEvent): Buffer {
    if (event.size < this.#thresholdBytes) return PLAIN;
    const kept = this.#keep(event);
    if (!kept.frame) {
      kept.frame = compress(textOf(event)) ?? PLAIN;
      this.#keptBytes += kept.frame.length;
    }
    return kept.frame;
  }

  #keep(event: DeliveredEvent): Kept {
    const found = this.#find(event);
    if (found) return found;
    if (this.#keptBytes > KEPT_BYTES / 2) {
      this.#keptBefore = this.#kept;
      this.#kept = new Map();
      this.#keptBytes = 0;
    }
    const kept: Kept = { frame: undefined };
    this.#kept.set(event, kept);
    this.#keptBytes += event.size + ENTRY_BYTES;
    return kept;
  }

  #find(event: DeliveredEvent): Kept | undefined {
    return this.#kept.get(event) ?? this.#keptBefore.get(event);
  }
}

/** Returns a compressed frame; undefined if it would not be smaller. */
function compress(text: Buffer): Buffer | undefined {
  const payload = deflateMessage(text);
  return payload.length < text.length ? compressedTextFrame(payload) : undefined;
}

function textOf(event: DeliveredEvent): Buffer {
  const text = Buffer.allocUnsafe(event.size);
  event.write(text, 0);
  return text;
}

function batchSize(events: readonly DeliveredEvent[]): number {
  return events.reduce((size, event) => size + event.size + 1, BATCH_HEAD.length + BATCH_TAIL.length - 1);
}

function batchText(events: readonly DeliveredEvent[], size: number): Buffer {
  const text = Buffer.allocUnsafe(size);
  let at = BATCH_HEAD.copy(text);
  for (const [index, event] of events.entries()) {
    if (index > 0) text[at++] = COMMA;
    at = event.write(text, at);
  }
  BATCH_TAIL.copy(text, at);
  return text;
}
