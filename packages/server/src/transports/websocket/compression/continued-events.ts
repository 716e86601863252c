import type { DeliveredEvent, EventChunk } from '../../../core/ports/delivery.js';
import { compressedTextFrame, encodedTextFrame } from '../../sockets/websocket-frame.js';
import { Context } from './context.js';
import { deflateMessage } from './deflate.js';

/**
 * How many have to hold a context, and to take a chunk, so that it pays to compress the chunk once more for them: less than a
 * microsecond for each. Fewer share what was compressed of each event by itself.
 */
const LEAST_SHARERS = 32;

/** At which part of all chunks those begin anew together who took the same and held different contexts. */
const CONVERGENCE_SHARE = 1 / 16;

/** The events of a chunk for clients that remember what they were sent before. */
export interface Continuation {
  readonly bytes: Buffer;
  /** What whoever takes it holds then; undefined where that is what it held before. */
  readonly context: Context | undefined;
}

/** What was made of one chunk. */
interface Made {
  /** How many take it. */
  readonly takers: number;
  readonly isConvergencePoint: boolean;
  readonly texts: readonly Buffer[];
  /** Can be read by everybody. Who takes it holds the same from then on. */
  beginning: Continuation | undefined;
  readonly byContext: Map<Context, Continuation>;
}

/** The texts that events are sent as, one for each message. */
export type MessageTexts = (events: readonly DeliveredEvent[]) => readonly Buffer[];

/**
 * Compresses events for many who hold the same, so that each message refers to those before it, as a compressor for each connection
 * would: but once for all of them. Who holds nothing, or what few hold, begins anew with what needs nothing before it; now and then all
 * begin anew together, and hold the same from then on.
 */
export class ContinuedEvents {
  readonly #thresholdBytes: number;
  readonly #texts: MessageTexts;
  readonly #made = new WeakMap<EventChunk, Made>();

  /** @param thresholdBytes texts of fewer bytes go uncompressed; others are compressed, though it make them no smaller */
  constructor(thresholdBytes: number, texts: MessageTexts) {
    this.#thresholdBytes = thresholdBytes;
    this.#texts = texts;
  }

  /** The chunk for a client that holds `context`; undefined where too few take it. */
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
    // Many who each hold another context would else cost as much as a compressor for each.
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

/** Where a chunk is taken in several forms, those who take them are to come together some time. */
function markDiverged({ beginning, byContext }: Made): void {
  const forms = beginning ? [beginning, ...byContext.values()] : [...byContext.values()];
  if (forms.length < 2) return;
  for (const { context } of forms) if (context) context.hasDiverged = true;
}

/** The same for all who take the chunk, and as often by chance for whatever part of all chunks somebody takes (multiplicative hashing). */
function isConvergencePoint({ through }: EventChunk): boolean {
  return Math.imul(through, 0x9e3779b1) >>> 0 < CONVERGENCE_SHARE * 2 ** 32;
}
