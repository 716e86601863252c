import type { Chunk, Takers } from '../../core/chunk.js';
import type { LoggedEvent } from '../../core/logged-event.js';
import { compressedTextFrame, encodedTextFrame } from '../websocket-frame.js';
import { deflateMessage, WINDOW_BYTES } from './deflate.js';

/** From how many on it pays to compress for those who move together what others may be sent too: less than a microsecond for each of them. */
const MANY = 32;

/** After how many chunks a line begins anew where somebody came to it in its midst. */
const LINE_CHUNKS = 16;

/** What an inflater holds: the end of all texts that it was sent compressed, as far back as a message may refer. */
export class Context {
  readonly text: Uint8Array;

  constructor(text: Uint8Array) {
    this.text = text;
  }
}

/** The events of a chunk for clients that remember what they were sent before. */
export interface Continuation {
  /** What a client must hold to read the bytes; undefined where they can be read whatever it holds. */
  readonly after: Context | undefined;
  readonly bytes: Buffer;
  /** What it holds then; undefined where that is what it held before. */
  readonly context: Context | undefined;
  readonly line: Line;
}

/** What those who move together were sent, one chunk after the other. */
interface Line {
  context: Context | undefined;
  /** Chunks since it began. */
  length: number;
  /** Whether it could not be continued for somebody. */
  hasOutsiders: boolean;
}

/** The texts that events are sent as, one for each message. */
export type MessageTexts = (events: readonly LoggedEvent[]) => readonly Buffer[];

/**
 * Compresses events for many who were sent the same before, so that each message refers to those before it, as a compressor for each
 * connection would: but once for all of them. Whoever comes to a line in its midst is an outsider to it, and takes what needs nothing before it,
 * until the line begins anew.
 *
 * Nobody is ever taken for somebody else: what a client holds is known by the very object that all have who hold the same, and without
 * it there is no continuation.
 */
export class ContinuedEvents {
  readonly #thresholdBytes: number;
  readonly #texts: MessageTexts;
  readonly #lines = new WeakMap<Takers, Line>();
  readonly #made = new WeakMap<Chunk, Continuation>();

  /** @param thresholdBytes texts of fewer bytes go uncompressed; others are compressed, though it make them no smaller */
  constructor(thresholdBytes: number, texts: MessageTexts) {
    this.#thresholdBytes = thresholdBytes;
    this.#texts = texts;
  }

  /** The chunk for a client that holds `context`; undefined where it takes what needs nothing before it. */
  next(chunk: Chunk, context: Context | undefined): Continuation | undefined {
    const made = this.#made.get(chunk) ?? this.#make(chunk);
    if (!made || made.after === undefined || made.after === context) return made;
    made.line.hasOutsiders = true;
    return undefined;
  }

  #make(chunk: Chunk): Continuation | undefined {
    const line = this.#lineOf(chunk.takers);
    if (!line) return undefined;
    const continuation = this.#continue(line, this.#texts(chunk.events));
    this.#made.set(chunk, continuation);
    return continuation;
  }

  #lineOf(takers: Takers): Line | undefined {
    if (takers.size < MANY) {
      this.#lines.delete(takers);
      return undefined;
    }
    const known = this.#lines.get(takers);
    const line = known ?? { context: undefined, length: 0, hasOutsiders: false };
    if (!known) this.#lines.set(takers, line);
    return line;
  }

  #continue(line: Line, texts: readonly Buffer[]): Continuation {
    if (texts.every((text) => text.length < this.#thresholdBytes)) {
      return { after: undefined, bytes: Buffer.concat(texts.map(encodedTextFrame)), context: undefined, line };
    }
    if (line.hasOutsiders && line.length >= LINE_CHUNKS) line.context = undefined;
    const after = line.context;
    if (!after) Object.assign(line, { length: 0, hasOutsiders: false });
    const { frames, held } = this.#compress(texts, after?.text);
    line.context = new Context(held);
    line.length += 1;
    return { after, bytes: Buffer.concat(frames), context: line.context, line };
  }

  #compress(texts: readonly Buffer[], before: Uint8Array = new Uint8Array()): { frames: Buffer[]; held: Uint8Array } {
    let held = before;
    const frames = texts.map((text) => {
      if (text.length < this.#thresholdBytes) return encodedTextFrame(text);
      const frame = compressedTextFrame(deflateMessage(text, held));
      held = lastBytes(held, text);
      return frame;
    });
    return { frames, held };
  }
}

/** The end of both as one, as much as an inflater holds. */
function lastBytes(before: Uint8Array, text: Uint8Array): Uint8Array {
  const added = text.subarray(-WINDOW_BYTES);
  const both = new Uint8Array(Math.min(WINDOW_BYTES, before.length + added.length));
  const start = both.length - added.length;
  both.set(before.subarray(before.length - start));
  both.set(added, start);
  return both;
}
