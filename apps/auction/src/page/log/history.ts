import type { PregonEvent } from '@pregon/client';
import type { TopicFilter } from './filter.js';

/** An event in the log, or a note of the page's own that stands between two of them. */
export type LogEntry =
  | { readonly serial: number; readonly event: PregonEvent }
  | { readonly serial: number; readonly note: string };

/**
 * The newest entries, and those of them that are shown. What is shown follows what is held, unless it is paused: then it stays as it
 * is, whatever comes.
 */
export class EventHistory {
  readonly #limit: number;
  #entries: LogEntry[] = [];
  #shown: LogEntry[] = [];
  #filter: TopicFilter = () => true;
  #serial = 0;
  #paused = false;
  #heldBack = 0;

  /** @param limit the most entries that are held */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Oldest first. Valid until the next call of any method. */
  get shown(): readonly LogEntry[] {
    return this.#shown;
  }

  /** The number of events that are held. */
  get size(): number {
    const [first] = this.#entries;
    return this.#entries.length - (first && 'note' in first ? 1 : 0);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** How many entries have come since the pause that would be shown without it. */
  get heldBack(): number {
    return this.#heldBack;
  }

  append(event: PregonEvent): void {
    this.#serial++;
    this.#push({ serial: this.#serial, event });
  }

  /** Forgets all events, and says why. */
  restart(note: string): void {
    this.#serial++;
    this.#entries = [];
    this.#shown = [];
    this.#heldBack = 0;
    this.#push({ serial: this.#serial, note });
  }

  filterBy(filter: TopicFilter): void {
    this.#filter = filter;
    this.#showAll();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#showAll();
  }

  /** Drops what is over the limit; to be called once for many entries. */
  trim(): void {
    const excess = this.#entries.length - this.#limit;
    if (excess <= 0) return;
    this.#entries.splice(0, excess);
    if (this.#paused) return;
    const first = this.#entries[0]?.serial ?? 0;
    const kept = this.#shown.findIndex(({ serial }) => serial >= first);
    this.#shown.splice(0, kept === -1 ? this.#shown.length : kept);
  }

  #push(entry: LogEntry): void {
    this.#entries.push(entry);
    if (!this.#passes(entry)) return;
    if (this.#paused) this.#heldBack++;
    else this.#shown.push(entry);
  }

  #showAll(): void {
    this.#shown = this.#entries.filter((entry) => this.#passes(entry));
    this.#heldBack = 0;
  }

  #passes(entry: LogEntry): boolean {
    return 'note' in entry || this.#filter(entry.event.topic);
  }
}
