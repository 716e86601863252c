import type { AppendableLog } from '@pregon/outbox';
import { assertEvent, type PregonEvent } from '@pregon/protocol';
import type { Log } from 'pregon';
import { openMemoryLog } from '../../../packages/server/dist/logs/memory/memory-log.js';

/**
 * A log in memory that can be told to fail in each way that `append` may: with nothing stored, with a prefix stored, or
 * with everything stored and the answer lost.
 */
export class FaultyLog implements AppendableLog {
  /** The events of the log. */
  readonly events: PregonEvent[] = [];
  /** The events as JSON, to the byte. */
  readonly texts: string[] = [];
  /** Called with each batch before it is stored. */
  beforeAppend: (events: readonly PregonEvent[]) => void | Promise<void> = () => {};
  calls = 0;
  /** How many events were appended, including those that the log already had. */
  appended = 0;
  readonly #log: Log = openMemoryLog();
  readonly #faults: { stored: number; error: Error }[] = [];
  #after: number | undefined;
  #reading = Promise.resolve();

  /** The values that the log keeps; absent as in a log that cannot keep any. */
  kept: Log['kept'] | undefined;

  constructor() {
    this.kept = this.#log.kept;
  }

  /** The next `append` stores at most `stored` of its events, then rejects. */
  failNext(error: Error, stored = 0): void {
    this.#faults.push({ stored, error });
  }

  async append(events: readonly PregonEvent[]): Promise<void> {
    this.calls++;
    await this.beforeAppend(events);
    const fault = this.#faults.shift();
    await this.#log.append(events.slice(0, fault?.stored));
    this.appended += events.slice(0, fault?.stored).length;
    this.#reading = this.#reading.then(() => this.#readOn());
    await this.#reading;
    if (fault !== undefined) throw fault.error;
  }

  async #readOn(): Promise<void> {
    this.#after ??= (await this.#log.floor()).offset;
    const { entries, through } = await this.#log.read({ after: this.#after, maxCount: 10_000, maxBytes: 100_000_000 });
    for (const { payload } of entries) {
      const text = new TextDecoder().decode(payload);
      const event: unknown = JSON.parse(text);
      assertEvent(event);
      this.events.push(event);
      this.texts.push(text);
    }
    this.#after = through.offset;
  }

  get repetitions(): number {
    return this.appended - this.events.length;
  }

  get ids(): string[] {
    return this.events.map((event) => event.id);
  }
}
