import type { DeliveredEvent, EventChunk } from '../../../core/ports/delivery.js';
import { compressedTextFrame, encodedTextFrame } from '../../sockets/websocket-frame.js';
import { Context } from './context.js';
import { deflateMessage } from './deflate.js';

/**
 * The minimum number of clients that must hold a context, and take a chunk, before the chunk is compressed again for
 * them. The cost is then less than a microsecond for each client. Smaller groups share the frames that were compressed
 * event by event.
 */
const LEAST_SHARERS = 32;

/**
 * The share of chunks at which clients of the same chunk with different contexts all start again with a common context.
 */
const CONVERGENCE_SHARE = 1 / 16;

/** The events of a chunk for clients that keep their context between messages. */
export interface Continuation {
  readonly bytes: Buffer;
  /** The client's context after these bytes; undefined if they do not change it. */
  readonly context: Context | undefined;
}

/** The encoded forms of one chunk. */
interface Made {
  /** How many clients take it. */
  readonly takers: number;
  readonly isConvergencePoint: boolean;
  readonly texts: readonly Buffer[];
  /** Needs no context, so every client can read it. All clients that take it then hold the same context. */
  beginning: Continuation | undefined;
  readonly byContext: Map<Context, Continuation>;
}

/** Returns the texts of the messages in which events are sent. */
export type MessageTexts = (events: readonly DeliveredEvent[]) => readonly Buffer[];

/**
 * Compresses events for groups of clients with the same context. Each message refers to earlier ones, as with a
 * compressor for each connection, but is compressed only once for the group. A client without a context, or with one
 * that few others hold, gets messages that need no context. From time to time, all clients start again together, and
 * then share a context.
 */
export class ContinuedEvents {
  readonly #thresholdBytes: number;
  readonly #texts: MessageTexts;
  readonly #made = new WeakMap<EventChunk, Made>();

  /**
   * @param thresholdBytes messages with fewer bytes are sent uncompressed; others are compressed even if they do not
   *   get smaller
   */
  constructor(thresholdBytes: number, texts: MessageTexts) {
    this.#thresholdBytes = thresholdBytes;
    this.#texts = texts;
  }

  /** The chunk for a client that holds `context`; undefined if too few clients take the chunk. */
  next(chunk: EventChunk, context: Context | undefined): Continuation | undefined {
    if (chunk.takers < LEAST_SHARERS) return undefined;
    const made = this.#made.get(chunk) ?? this.#open(chunk);
    return (context && this.#continuation(made, context)) ?? this.#beginning(made);
  }

  #open(chunk: EventChunk): Made {
    const made = {
      takers: chunk.takers,
      isConvergencePoint: isConvergencePoint(chunk),
      texts: this.#texts(chunk.events),
      beginning: undefined,
      byContext: new Map<Context, Continuation>(),
    };
    this.#made.set(chunk, made);
    return made;
  }

  #beginning(made: Made): Continuation {
    if (!made.beginning) {
      made.beginning = this.#compress(made.texts, undefined);
      markDiverged(made);
    }
    return made.beginning;
  }

  #continuation(made: Made, context: Context): Continuation | undefined {
    const known = made.byContext.get(context);
    if (known) return known;
    if (context.holders < LEAST_SHARERS || (made.isConvergencePoint && context.hasDiverged)) return undefined;
    // Many clients with different contexts would otherwise cost as much as a compressor for each.
    if (made.byContext.size >= Math.floor(made.takers / LEAST_SHARERS)) return undefined;
    const continuation = this.#compress(made.texts, context);
    made.byContext.set(context, continuation);
    markDiverged(made);
    return continuation;
  }

  #compress(texts: readonly Buffer[], after: Context | undefined): Continuation {
    let context = after;
    const frames = texts.map((text) => {
      if (text.length < this.#thresholdBytes) return encodedTextFrame(text);
      const frame = compressedTextFrame(deflateMessage(text, context?.text));
      context = new Context(text, context);
      return frame;
    });
    return { bytes: Buffer.concat(frames), context: context === after ? undefined : context };
  }
}

/** If a chunk is taken in several forms, their contexts are marked, so that their clients converge later. */
function markDiverged({ beginning, byContext }: Made): void {
  const forms = beginning ? [beginning, ...byContext.values()] : [...byContext.values()];
  if (forms.length < 2) return;
  for (const { context } of forms) if (context) context.hasDiverged = true;
}

/**
 * Returns the same result for all clients of the chunk. The hash (multiplicative hashing) selects the same share of
 * chunks, whatever subset of chunks a client takes.
 */
function isConvergencePoint({ through }: EventChunk): boolean {
  return Math.imul(through, 0x9e3779b1) >>> 0 < CONVERGENCE_SHARE * 2 ** 32;
}
