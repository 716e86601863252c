import type { LogPoint } from '@pregon/protocol';
import type { LogEntry } from '../../../core/ports/log-entry.js';
import type { EncodedEvent } from '../../shared/encode.js';
import { toRange } from '../../shared/range.js';
import { isSameEvent, ReusedId } from '../../shared/same-event.js';
import { toKey } from '../messages/message.js';
import type { PoisonEntry } from '../messages/stream-entry.js';
import type { Reader } from '../reading/reader.js';
import type { Tail } from '../reading/tail.js';
import { PublishedEvents } from './published-events.js';

/** The maximum number of parallel lookups of first events: a faulty producer must not keep the stream busy. */
const MOST_LOOKS = 4;
/** The maximum number of waiting lookups. */
const MOST_WAITING = 100;

export interface ReusedIdsOptions {
  readonly tail: () => Tail;
  readonly reader: () => Reader;
  /** Called for an event that is not delivered because another event has its id. */
  readonly onReused: (entry: PoisonEntry) => void;
}

/**
 * Distinguishes an event that is published twice, which is normal, from a different event with the same id, which would
 * be lost. A stream accepts both. A process that published the first one, or that reads the end of the stream, refuses
 * the second; all readers report it.
 */
export class ReusedIds {
  readonly #options: ReusedIdsOptions;
  readonly #published = new PublishedEvents();
  #looks = 0;
  readonly #waiting: [duplicate: LogEntry, first: LogPoint][] = [];

  constructor(options: ReusedIdsOptions) {
    this.#options = options;
  }

  /** Remembers events that are about to be published. @throws ReusedId, and then remembers none of them */
  async claim(events: readonly EncodedEvent[]): Promise<void> {
    const known = this.#options.tail().current;
    for (const event of known ? events : []) {
      const first = known?.entries.firstOf(toKey(event.source, event.id));
      if (!first || first.fingerprint === event.fingerprint) continue;
      const payload = await this.#payloadAt(first.offset);
      if (payload && !isSameEvent(event.payload, payload)) throw new ReusedId(event);
    }
    this.#published.add(events);
  }

  /** Must be called for events that the broker refused. */
  forget(events: readonly EncodedEvent[]): void {
    this.#published.forget(events);
  }

  /**
   * Compares an event with the earlier entry that has its source and id: at once if that is recent, otherwise after
   * reading it again.
   */
  judge(duplicate: LogEntry, first: LogPoint | undefined): void {
    if (!first || first.fingerprint === duplicate.fingerprint) return;
    const recent = this.#options.tail().current?.events.at(first.offset);
    if (recent) return this.#compare(duplicate, first, recent.payload);
    if (this.#looks < MOST_LOOKS) void this.#look(duplicate, first);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push([duplicate, first]);
    else
      this.#report(
        duplicate,
        `its id and source are those of the event at offset ${first.offset - 1}; too many such events to compare them`,
      );
  }

  /** Looks up one event, then the next waiting one. Never rejects. */
  async #look(duplicate: LogEntry, first: LogPoint): Promise<void> {
    this.#looks += 1;
    try {
      this.#compare(duplicate, first, await this.#payloadAt(first.offset));
    } catch {
      // The stream cannot be read; the readers report that.
    }
    this.#looks -= 1;
    const next = this.#waiting.shift();
    if (next) void this.#look(...next);
  }

  #compare(duplicate: LogEntry, first: LogPoint, payload: Uint8Array | undefined): void {
    if (!payload || isSameEvent(duplicate.payload, payload)) return;
    this.#report(duplicate, `another event, at offset ${first.offset - 1}, has its id and source (EVENT_ID_REUSED)`);
  }

  #report({ offset, fingerprint }: LogEntry, reason: string): void {
    this.#options.onReused({ kind: 'poison', offset, fingerprint, reason });
  }

  async #payloadAt(offset: number): Promise<Uint8Array | undefined> {
    const recent = this.#options.tail().current?.events.at(offset);
    if (recent) return recent.payload;
    const { page } = await this.#options.reader().read(toRange({ after: offset - 1, through: offset }));
    return page.entries.find((entry) => entry.offset === offset)?.payload;
  }
}
