import type { Format } from '../../core/format.js';
import type { LoggedEvent } from '../../core/logged-event.js';
import { compressedTextFrame } from '../websocket-frame.js';
import { deflateMessage } from './deflate.js';
import { type EventFormats, eventFrames } from './wire.js';

/**
 * The most bytes that are kept, of events and their frames. All events of a chunk fit, and as a rule those of a flush, whose chunks are
 * made one right after the other.
 */
const KEPT_BYTES = 4_194_304;

/** About what one kept event costs beside its bytes. */
const ENTRY_BYTES = 200;

/**
 * How often an event is compressed together with others: once for all who want the same of a flush. Where there are more who want
 * different ones, its own frame, which is compressed once for all of them, costs less.
 */
const MOST_TOGETHER = 4;

interface Kept {
  frame: Buffer | undefined;
  together: number;
}

/** Stands for the frame of an event that goes uncompressed. */
const PLAIN = Buffer.alloc(0);

const BATCH_HEAD = Buffer.from('{"op":"batch","events":[');
const BATCH_TAIL = Buffer.from(']}');
const COMMA = 0x2c;

/** Compresses each event once for all connections that take compressed messages, whatever of its flush each of them wants. */
export class CompressedEvents implements EventFormats {
  /** One frame for each event. */
  readonly separate: Format;
  /** All events of a chunk in one frame `batch`, which compresses what they have in common; where that is not worth it, one for each. */
  readonly together: Format;
  readonly #thresholdBytes: number;
  /** The later half of what is kept; when it is full, it is the earlier half of what is kept then. */
  #kept = new Map<LoggedEvent, Kept>();
  #keptBefore = new Map<LoggedEvent, Kept>();
  #keptBytes = 0;

  /** @param thresholdBytes texts of fewer bytes go uncompressed */
  constructor(thresholdBytes: number) {
    this.#thresholdBytes = thresholdBytes;
    const size = (event: LoggedEvent) => this.#size(event);
    const write = (event: LoggedEvent, target: Buffer, at: number) => this.#write(event, target, at);
    this.separate = { size, write };
    this.together = { size, write, together: (events) => this.#batch(events) };
  }

  #size(event: LoggedEvent): number {
    const frame = this.#frame(event);
    return frame === PLAIN ? eventFrames.size(event) : frame.length;
  }

  #write(event: LoggedEvent, target: Buffer, at: number): number {
    const frame = this.#frame(event);
    if (frame === PLAIN) return eventFrames.write(event, target, at);
    target.set(frame, at);
    return at + frame.length;
  }

  #batch(events: readonly LoggedEvent[]): Buffer | undefined {
    if (events.length < 2) return undefined;
    let size = BATCH_HEAD.length + BATCH_TAIL.length - 1;
    for (const event of events) {
      if ((this.#find(event)?.together ?? 0) >= MOST_TOGETHER) return undefined;
      size += event.size + 1;
    }
    if (size < this.#thresholdBytes) return undefined;
    for (const event of events) this.#keep(event).together += 1;
    return compress(batchText(events, size));
  }

  #frame(event: LoggedEvent): Buffer {
    if (event.size < this.#thresholdBytes) return PLAIN;
    const kept = this.#keep(event);
    if (!kept.frame) {
      const text = Buffer.allocUnsafe(event.size);
      event.write(text, 0);
      kept.frame = compress(text) ?? PLAIN;
      this.#keptBytes += kept.frame.length;
    }
    return kept.frame;
  }

  #keep(event: LoggedEvent): Kept {
    const found = this.#find(event);
    if (found) return found;
    if (this.#keptBytes > KEPT_BYTES / 2) {
      this.#keptBefore = this.#kept;
      this.#kept = new Map();
      this.#keptBytes = 0;
    }
    const kept: Kept = { frame: undefined, together: 0 };
    this.#kept.set(event, kept);
    this.#keptBytes += event.size + ENTRY_BYTES;
    return kept;
  }

  #find(event: LoggedEvent): Kept | undefined {
    return this.#kept.get(event) ?? this.#keptBefore.get(event);
  }
}

/** A compressed frame; undefined where it would be no smaller. */
function compress(text: Buffer): Buffer | undefined {
  const payload = deflateMessage(text);
  return payload.length < text.length ? compressedTextFrame(payload) : undefined;
}

function batchText(events: readonly LoggedEvent[], size: number): Buffer {
  const text = Buffer.allocUnsafe(size);
  let at = BATCH_HEAD.copy(text);
  for (const [index, event] of events.entries()) {
    if (index > 0) text[at++] = COMMA;
    at = event.write(text, at);
  }
  BATCH_TAIL.copy(text, at);
  return text;
}
