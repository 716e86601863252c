import { numbered } from '../../../../test/support/log/events.js';
import type { LogEntry } from '../../src/core/ports/log-entry.js';
import type { RabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';

/** The interval between batches: short enough that an outage always interrupts a batch in transit. */
const INTERVAL_MS = 10;

/** Appends numbered events at a rate, with several appends at the same time, like a busy application. */
export class Load {
  readonly #log: RabbitLog;
  readonly #exchange: string;
  readonly #appends: Promise<unknown>[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  /** The duration of the slowest append. */
  slowestMs = 0;
  count = 0;

  constructor(log: RabbitLog, exchange: string, perSecond: number) {
    this.#log = log;
    this.#exchange = exchange;
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - this.#startedAt) * perSecond) / 1_000);
      this.#append(due - this.count);
    }, INTERVAL_MS);
  }

  /** Resolves when all events are safe; rejects if an append did. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#appends);
  }

  #append(count: number): void {
    const events = Array.from({ length: count }, (_, index) =>
      numbered(this.count + index + 1, { exchange: this.#exchange }),
    );
    this.count += count;
    const since = performance.now();
    const append = this.#log.append(events, { points: false }).then(() => {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - since);
    });
    // `end` awaits it; until then a rejection must not count as unhandled.
    append.catch(() => undefined);
    this.#appends.push(append);
  }
}

/** Compares what a reader got with a load that counted from 1; all numbers are 0 if each event came once, in order. */
export function compare(
  entries: readonly LogEntry[],
  count: number,
): { lost: number; twice: number; reordered: number } {
  const seen = new Set<number>();
  let twice = 0;
  let reordered = 0;
  let last = 0;
  for (const { sequence = 0 } of entries) {
    if (seen.has(sequence)) twice += 1;
    else if (sequence < last) reordered += 1;
    seen.add(sequence);
    last = Math.max(last, sequence);
  }
  return { lost: count - seen.size, twice, reordered };
}

export const ALL_ONCE_IN_ORDER = { lost: 0, twice: 0, reordered: 0 };
