import { Chunk, chunkLength } from './chunk.js';
import type { LoggedEvent } from './logged-event.js';

/** Events that somebody wants, in order, and a number that other lists of the same flush rarely have too. */
interface Selection {
  readonly events: readonly LoggedEvent[];
  readonly mark: number;
  /** How many want them. */
  readonly takers: number;
}

/**
 * One move of the edge, and the chunks that carry it. Audiences that select the same of its events, by whatever patterns, share the
 * chunks, and so the bytes.
 */
export class Flush {
  readonly #after: number;
  readonly #through: number;
  readonly #made = new Map<number, { readonly events: readonly LoggedEvent[]; readonly chunks: readonly Chunk[] }>();

  /** Moves everybody at `after` to `through`. */
  constructor(after: number, through: number) {
    this.#after = after;
    this.#through = through;
  }

  /** What moves those who want these events. */
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
