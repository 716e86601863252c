import type { LogPoint } from '@pregon/protocol';
import type { StreamEntry } from '../messages/stream-entry.js';

/** The maximum number of remembered sequences, about 5 MB; at least half of them are always remembered. */
const REMEMBERED_SEQUENCES = 100_000;

interface Source {
  readonly name: string;
  /** The highest sequence that was read. */
  highest: number;
}

interface Numbered extends LogPoint {
  readonly source: Source;
  readonly sequence: number;
}

export interface Located {
  /** Whether an entry with that sequence, or a higher one, was read. */
  readonly reached: boolean;
  /** The last remembered entry up to that sequence; undefined if there is none. */
  readonly point: LogPoint | undefined;
}

/**
 * The points of the sequences of all sources, as far back as they are remembered. It must get all entries that one
 * reader of the stream reads, of any exchange. It is exact if the relay appends in the order of the sequence. Events
 * that the relay appends again after a lost confirm have no higher sequence than those already read, so they are
 * skipped.
 */
export class RecentSequences {
  readonly #most: number;
  #sources = new Map<string, Source>();
  #entries: Numbered[] = [];
  #last = 0;
  #after = 0;
  #begun = false;

  constructor(most = REMEMBERED_SEQUENCES) {
    this.#most = most;
  }

  /** All sequences after this offset are remembered; infinite if nothing was read. */
  get after(): number {
    return this.#begun ? this.#after : Number.POSITIVE_INFINITY;
  }

  /** Must be called when reading continues at an offset. If that leaves a gap, the sequences before it are dropped. */
  readFrom(offset: number): void {
    if (this.#begun && offset > this.#last + 1) this.clear();
  }

  /** Must be called for each entry in the order of the stream; an entry that was already read changes nothing. */
  add(entry: StreamEntry): void {
    if (entry.offset <= this.#last) return;
    if (!this.#begun) this.#after = entry.offset - 1;
    this.#begun = true;
    this.#last = entry.offset;
    if (entry.kind === 'event' && entry.event.sequence !== undefined) {
      this.#remember(entry, entry.event.source, entry.event.sequence);
    }
  }

  /** @param source undefined for any source */
  locate(sequence: number, source: string | undefined): Located {
    let reached = sequence === 0;
    let found: Numbered | undefined;
    for (const entry of this.#entries) {
      if (source !== undefined && entry.source.name !== source) continue;
      if (entry.sequence >= sequence) reached = true;
      if (entry.sequence <= sequence && entry.sequence >= (found?.sequence ?? 0)) found = entry;
    }
    return { reached, point: found && { offset: found.offset, fingerprint: found.fingerprint } };
  }

  /** Must be called when another stream has taken the place of this one. */
  clear(): void {
    this.#sources = new Map();
    this.#entries = [];
    this.#last = 0;
    this.#begun = false;
  }

  #remember({ offset, fingerprint }: LogPoint, name: string, sequence: number): void {
    const source = this.#sources.get(name) ?? { name, highest: -1 };
    if (sequence <= source.highest) return;
    if (this.#entries.length >= this.#most) this.#dropOlderHalf();
    source.highest = sequence;
    this.#sources.set(name, source);
    this.#entries.push({ offset, fingerprint, source, sequence });
  }

  #dropOlderHalf(): void {
    const dropped = this.#entries.splice(0, Math.ceil(this.#most / 2));
    this.#after = dropped.at(-1)?.offset ?? this.#after;
    this.#sources = new Map(this.#entries.map(({ source }) => [source.name, source]));
  }
}
