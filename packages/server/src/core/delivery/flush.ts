import { Chunk, chunkLength } from './chunk.js';
import type { LoggedEvent } from './logged-event.js';

/** The events of one audience in a flush, in order. */
interface Selection {
  readonly events: readonly LoggedEvent[];
  /** A hash of the events. Two different lists in one flush rarely have the same. */
  readonly mark: number;
  /** How many subscriptions get them. */
  readonly takers: number;
}

/**
 * One move of the edge, and the chunks that deliver it. Audiences that select the same events share the chunks, and so
 * the encoded bytes, even if their patterns differ.
 */
export class Flush {
  readonly #after: number;
  readonly #through: number;
  readonly #made = new Map<number, { readonly events: readonly LoggedEvent[]; readonly chunks: readonly Chunk[] }>();

  /** Moves the subscriptions at offset `after` to offset `through`. */
  constructor(after: number, through: number) {
    this.#after = after;
    this.#through = through;
  }

  /** The chunks that deliver these events. */
  chunks({ events, mark, takers }: Selection): readonly Chunk[] {
    const made = this.#made.get(mark);
    if (made && same(made.events, events)) {
      for (const chunk of made.chunks) chunk.takers += takers;
      return made.chunks;
    }
    const chunks = this.#cut(events, takers);
    this.#made.set(mark, { events, chunks });
    return chunks;
  }

  #cut(events: readonly LoggedEvent[], takers: number): readonly Chunk[] {
    const chunks: Chunk[] = [];
    for (let from = 0, at = this.#after; from < events.length; ) {
      const to = from + chunkLength(events, from);
      const last = to === events.length ? this.#through : (events[to - 1]?.offset ?? this.#through);
      chunks.push(new Chunk(at, last, from === 0 && to === events.length ? events : events.slice(from, to), takers));
      from = to;
      at = last;
    }
    return chunks;
  }
}

function same(a: readonly LoggedEvent[], b: readonly LoggedEvent[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
