import type { PregonEvent } from '@pregon/client';
import type { TopicFilter } from './filter.js';
import { DataMemory } from './memory.js';

/** An event in the log, or a line that the page inserts between two events. */
export type LogEntry = EventEntry | LogLine;

export interface EventEntry {
  readonly serial: number;
  readonly event: PregonEvent;
  /** The data of the previous event of the same subject; undefined if the page has seen none. */
  readonly before: unknown;
  /** Milliseconds from the commit to the page, for an event that happened while the page was open. */
  readonly latencyMs: number | undefined;
}

export interface LogLine {
  readonly serial: number;
  readonly note: string;
  /** `reset`: all entries below were dropped. `seam`: there was an outage at this point. */
  readonly kind: 'reset' | 'seam';
}

/**
 * Holds the newest entries, and those of them that are shown. The shown entries follow the held ones. During a pause
 * they stay as they are, whatever arrives.
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

  /** @param limit the maximum number of entries held */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The shown entries, oldest first. Valid until the next call of any method. */
  get shown(): readonly LogEntry[] {
    return this.#shown;
  }

  /** The number of events held. */
  get size(): number {
    return this.#entries.length - this.#lines;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** How many entries arrived during the pause that would otherwise be shown. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /**
   * @param latencyMs the time from the commit until the page had the event, in milliseconds; undefined for a past event
   */
  append(event: PregonEvent, latencyMs?: number): void {
    this.#serial++;
    this.#push({ serial: this.#serial, event, before: this.#memory.replace(event), latencyMs });
  }

  /** Adds a line at the top. */
  mark(note: string): void {
    this.#line(note, 'seam');
  }

  /** Removes all events, and adds a line with the reason. @param note the text of the line */
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

  /** Drops the entries above the limit. Call it once for many entries. */
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
