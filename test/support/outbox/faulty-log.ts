import type { AppendableLog } from '@pregon/outbox';
import type { PregonEvent } from '@pregon/protocol';

/**
 * A log in memory that stores each `source` and `id` once, and that can be told to fail, in each of the ways that `append` may: with
 * nothing stored, with a prefix stored, or with all stored and the answer lost.
 */
export class FaultyLog implements AppendableLog {
  readonly events: PregonEvent[] = [];
  readonly #known = new Set<string>();
  readonly #faults: { stored: number; error: Error }[] = [];
  /** Called with each batch before it is stored. */
  beforeAppend: (events: readonly PregonEvent[]) => void | Promise<void> = () => {};
  calls = 0;

  /** The next `append` stores at most `stored` of its events, then rejects. */
  failNext(error: Error, stored = 0): void {
    this.#faults.push({ stored, error });
  }

  async append(events: readonly PregonEvent[]): Promise<void> {
    this.calls++;
    await this.beforeAppend(events);
    const fault = this.#faults.shift();
    for (const event of events.slice(0, fault?.stored)) this.#store(event);
    if (fault !== undefined) throw fault.error;
  }

  #store(event: PregonEvent): void {
    const key = JSON.stringify([event.source, event.id]);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.events.push(event);
  }

  get ids(): string[] {
    return this.events.map((event) => event.id);
  }
}
