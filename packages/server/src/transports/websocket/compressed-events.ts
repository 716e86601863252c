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
 * From how many takers on events are compressed together whatever was done of them before. Fewer have to want events that nobody else
 * was sent: where there are many who each want different ones, the events' own frames, compressed once for all of them, cost less.
 */
const MANY = 4;

interface Kept {
  /** Not made yet where the event was only compressed together with others. */
  frame: Buffer | undefined;
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
    this.together = { size, write, together: (events, takers) => this.#batch(events, takers) };
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

  #batch(events: readonly LoggedEvent[], takers: number): Buffer | undefined {
    if (events.length < 2) return undefined;
    let size = BATCH_HEAD.length + BATCH_TAIL.length - 1;
    for (const event of events) {
      if (takers < MANY && this.#find(event)) return undefined;
      size += event.size + 1;
    }
    if (size < this.#thresholdBytes) return undefined;
    for (const event of events) this.#keep(event);
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
    const kept: Kept = { frame: undefined };
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
