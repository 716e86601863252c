import type { EventChunk, Format } from '../ports/delivery.js';
import { ChunkMemory } from './chunk-memory.js';
import type { LoggedEvent } from './logged-event.js';

/** The most bytes of events in one chunk, unless a single event is larger. */
export const CHUNK_BYTES = 65_536;

/** From how many takers on a chunk gets memory of its own. */
const SHARED = 32;

/** One for all: chunks of all formats come and go together. */
const chunkMemory = new ChunkMemory();

/**
 * What moves a cursor: the matching events between two offsets, with nothing missing.
 */
export class Chunk implements EventChunk {
  /** The cursors that this chunk moves stand here … */
  readonly after: number;
  /** … and then here, also where no event between matched. */
  readonly through: number;
  readonly events: readonly LoggedEvent[];
  /** About how many subscriptions it moves, where they move together. */
  takers: number;
  /** Mostly all connections take the same format. */
  #format: Format | undefined;
  #buffer: Buffer | undefined;
  #others: Map<Format, Buffer> | undefined;

  constructor(after: number, through: number, events: readonly LoggedEvent[], takers = 1) {
    this.after = after;
    this.through = through;
    this.events = events;
    this.takers = takers;
  }

  /** All its events, framed one behind the other or together, in one buffer that must not be changed. */
  bytes(format: Format): Buffer {
    const made = format === this.#format ? this.#buffer : this.#others?.get(format);
    return made ?? this.#keep(format, this.#encode(format));
  }

  #keep(format: Format, buffer: Buffer): Buffer {
    if (this.#format === undefined) {
      this.#format = format;
      this.#buffer = buffer;
    } else {
      this.#others ??= new Map();
      this.#others.set(format, buffer);
    }
    return buffer;
  }

  #encode(format: Format): Buffer {
    return format.together?.(this.events, this.takers) ?? this.#encodeEach(format);
  }

  #encodeEach(format: Format): Buffer {
    let size = 0;
    for (const event of this.events) size += format.size(event);
    // Those who are full keep what waits for them: one and the same for many, and not the chunks of others beside it.
    const buffer = this.takers < SHARED ? chunkMemory.take(size) : Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const event of this.events) at = format.write(event, buffer, at);
    return buffer;
  }
}

/** How many of the events from `from` on make one chunk: up to {@link CHUNK_BYTES}, but at least one. */
export function chunkLength(events: readonly LoggedEvent[], from: number): number {
  let bytes = 0;
  let count = 0;
  for (let i = from; i < events.length; i++, count++) {
    bytes += events[i]?.size ?? 0;
    if (bytes > CHUNK_BYTES && count > 0) break;
  }
  return count;
}
