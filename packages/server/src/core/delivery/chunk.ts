import type { EventChunk, Format } from '../ports/delivery.js';
import { ChunkMemory } from './chunk-memory.js';
import type { LoggedEvent } from './logged-event.js';

/** The most bytes of events in one chunk, unless a single event is larger. */
export const CHUNK_BYTES = 65_536;

/** With this many takers or more, a chunk gets memory of its own. */
const SHARED = 32;

/** One pool for all formats: their chunks are freed at about the same time. */
const chunkMemory = new ChunkMemory();

/** All matching events between two offsets. A chunk moves a cursor from the first offset to the second. */
export class Chunk implements EventChunk {
  /** The offset of the cursors that this chunk moves. */
  readonly after: number;
  /** The offset of these cursors afterwards, even if no event between the two matched. */
  readonly through: number;
  readonly events: readonly LoggedEvent[];
  /** About how many subscriptions it moves together. */
  takers: number;
  /** The first format that was asked for. As a rule, all connections use the same one. */
  #format: Format | undefined;
  #buffer: Buffer | undefined;
  #others: Map<Format, Buffer> | undefined;

  constructor(after: number, through: number, events: readonly LoggedEvent[], takers = 1) {
    this.after = after;
    this.through = through;
    this.events = events;
    this.takers = takers;
  }

  /** All events in a format, framed one after the other or together, in one buffer. Do not change the buffer. */
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
    // A full connection keeps its waiting buffer alive. With many takers it must not keep other chunks of a pooled
    // block alive too.
    const buffer = this.takers < SHARED ? chunkMemory.take(size) : Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const event of this.events) at = format.write(event, buffer, at);
    return buffer;
  }
}

/** The number of events from index `from` that make one chunk: up to {@link CHUNK_BYTES}, but at least one event. */
export function chunkLength(events: readonly LoggedEvent[], from: number): number {
  let bytes = 0;
  let count = 0;
  for (let i = from; i < events.length; i++, count++) {
    bytes += events[i]?.size ?? 0;
    if (bytes > CHUNK_BYTES && count > 0) break;
  }
  return count;
}
