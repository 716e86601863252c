import type { PregonEvent } from '@pregon/client';
import type { TopicFilter } from './filter.js';
import { DataMemory } from './memory.js';

/** An event in the log, or a line of the page's own that stands between two of them. */
export type LogEntry = EventEntry | LogLine;

export interface EventEntry {
  readonly serial: number;
  readonly event: PregonEvent;
  /** The data of the event before on the same subject; undefined if the page has seen none. */
  readonly before: unknown;
  /** From the commit until the page had it, for what happened while it looked. */
  readonly latencyMs: number | undefined;
}

export interface LogLine {
  readonly serial: number;
  readonly note: string;
  /** `reset`: all that was below was forgotten. `seam`: an outage was here. */
  readonly kind: 'reset' | 'seam';
}

/**
 * The newest entries, and those of them that are shown. What is shown follows what is held, unless it is paused: then it stays as it
 * is, whatever comes.
 */
export class EventHistory {
  readonly #limit: number;
  readonly #memory = new DataMemory();
  #entries: LogEntry[] = [];
  #shown: LogEntry[] = [];
  #filter: TopicFilter = () => true;
  #serial = 0;
  #lines = 0;
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
    return this.#entries.length - this.#lines;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** How many entries have come since the pause that would be shown without it. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /** @param latencyMs the time from the commit until the page had the event, in milliseconds; undefined for an event of the past */
  append(event: PregonEvent, latencyMs?: number): void {
    this.#serial++;
    this.#push({ serial: this.#serial, event, before: this.#memory.replace(event), latencyMs });
  }

  /** Draws a line at the top. */
  mark(note: string): void {
    this.#line(note, 'seam');
  }

  /** Removes all events, and draws a line that says why. @param note the text of the line */
  restart(note: string): void {
    this.#entries = [];
    this.#shown = [];
    this.#heldBack = 0;
    this.#lines = 0;
    this.#memory.clear();
    this.#line(note, 'reset');
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
    for (const entry of this.#entries.splice(0, excess)) if ('note' in entry) this.#lines--;
    if (this.#paused) return;
    const first = this.#entries[0]?.serial ?? 0;
    const kept = this.#shown.findIndex(({ serial }) => serial >= first);
    this.#shown.splice(0, kept === -1 ? this.#shown.length : kept);
  }

  #line(note: string, kind: LogLine['kind']): void {
    this.#serial++;
    this.#lines++;
    this.#push({ serial: this.#serial, note, kind });
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
