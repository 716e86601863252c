import type { LogPoint } from '@pregon/protocol';
import type { StreamEntry } from '../messages/stream-entry.js';

/** The most numbered entries that are remembered, some 5 MB; at least half of them always are. */
const REMEMBERED_SEQUENCES = 100_000;

interface Source {
  readonly name: string;
  /** The highest sequence that was seen. */
  highest: number;
}

interface Numbered extends LogPoint {
  readonly source: Source;
  readonly sequence: number;
}

export interface Located {
  /** Whether an entry with that sequence, or a higher one, was seen. */
  readonly reached: boolean;
  /** Of the last entry up to that sequence; undefined where none is remembered. */
  readonly point: LogPoint | undefined;
}

/**
 * Where the sequences of the sources came to stand, as far back as it is remembered. Told of all entries that one reader of the stream
 * reads, of any exchange, it is exact where the relay appends in the order of the sequence: what it appended again, after a lost
 * confirm, is no higher than what was seen, and is passed over.
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

  /** The offset after which all is remembered; infinite where nothing was seen. */
  get after(): number {
    return this.#begun ? this.#after : Number.POSITIVE_INFINITY;
  }

  /** Reading goes on at an offset. Where that leaves a hole, what was remembered before it is dropped. */
  readFrom(offset: number): void {
    if (this.#begun && offset > this.#last + 1) this.clear();
  }

  /** To be called for each entry in the order of the stream; an entry that was seen already changes nothing. */
  add(entry: StreamEntry): void {
    if (entry.offset <= this.#last) return;
    if (!this.#begun) this.#after = entry.offset - 1;
    this.#begun = true;
    this.#last = entry.offset;
    if (entry.kind === 'event' && entry.event.sequence !== undefined) {
      this.#remember(entry, entry.event.source, entry.event.sequence);
    }
  }

  /** @param source undefined for any */
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

  /** Another stream stands in the place of the one that was read. */
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
