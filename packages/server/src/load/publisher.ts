import type { NewEvent } from '@pregon/protocol';
import { atMost, pause } from '../core/time/deadline.js';
import type { NumberedEvents } from './numbered-event.js';

/** An event that a run publishes; the outlet chooses the exchange. */
export type LoadEvent = Omit<NewEvent, 'exchange'>;

/** The destination of a run's events. */
export interface Outlet {
  /** The most events in one call. */
  readonly group: number;
  /** How many calls may be pending at once; with 1, the log has the events in the order of their numbers. */
  readonly concurrency: number;
  /**
   * Resolves when the events are durable. Publishing the same events again has no effect.
   *
   * @throws PublishError
   */
  publish(events: readonly LoadEvent[]): Promise<void>;
}

export class PublishError extends Error {
  /** Whether a retry may succeed. */
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
  }
}

export interface PublisherOptions {
  readonly outlet: Outlet;
  readonly events: NumberedEvents;
  /** Event number n goes to the topic with the index n modulo the number of topics. */
  readonly topics: readonly string[];
}

const RETRY_MS = 500;

/** How much of a backlog is made up for. Events beyond it are skipped, and the reported rate shows that. */
const MAX_BACKLOG_SECONDS = 1;

/** Publishes numbered events at a steady rate, and retries each until it is confirmed. */
export class Publisher {
  /** The number of the next event. */
  next = 0;
  confirmed = 0;
  /** How many failed calls were retried. */
  retries = 0;
  /** Numbers of events that are not confirmed; these may or may not be in the log. */
  readonly unconfirmed = new Set<number>();
  /** Why publishing ended by itself; undefined if it did not. */
  failure: PublishError | undefined;
  readonly #options: PublisherOptions;
  readonly #calls = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Ends the pause for a free call. */
  #wake = () => {};
  #running: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#stopping.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /**
   * Publishes one event that is not checked, to find out whether publishing works.
   *
   * @throws PublishError
   */
  async tryOut(): Promise<void> {
    const { numbers, events } = this.#make(1);
    await this.#options.outlet.publish(events);
    for (const number of numbers) this.unconfirmed.delete(number);
  }

  /** @param rate events per second */
  start(rate: number): void {
    this.#running = this.#run(rate);
  }

  /** Publishes no more events, and waits up to `patienceMs` for pending calls. */
  async stop(patienceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await atMost(patienceMs, Promise.all(this.#calls));
  }

  async #run(rate: number): Promise<void> {
    const { group, concurrency } = this.#options.outlet;
    let startedAt = performance.now();
    let made = 0;
    while (!this.#stopping.signal.aborted) {
      const seconds = (performance.now() - startedAt) / 1_000;
      let due = Math.floor(seconds * rate) + 1 - made;
      const backlog = due - rate * MAX_BACKLOG_SECONDS - 1;
      if (backlog > 0) {
        startedAt += (backlog / rate) * 1_000;
        due -= backlog;
      }
      for (; due >= 1 && this.#calls.size < concurrency; due -= group) {
        const count = Math.min(group, Math.floor(due));
        this.#call(this.#make(count));
        made += count;
      }
      await this.#pause(startedAt + (made / rate) * 1_000 - performance.now());
    }
  }

  /** Waits until the next event is due; if the maximum of calls is pending, until one has ended. */
  async #pause(milliseconds: number): Promise<void> {
    const signal = this.#stopping.signal;
    if (this.#calls.size >= this.#options.outlet.concurrency) {
      // No Promise.race: a promise that stays pending for the whole run would retain memory of each race.
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    } else {
      await pause(Math.max(1, milliseconds), signal);
    }
  }

  #make(count: number): { numbers: number[]; events: LoadEvent[] } {
    const { events, topics } = this.#options;
    const numbers = Array.from({ length: count }, () => this.next++);
    for (const number of numbers) this.unconfirmed.add(number);
    return { numbers, events: numbers.map((number) => events.make(number, topics[number % topics.length] ?? '')) };
  }

  #call(batch: { numbers: number[]; events: LoadEvent[] }): void {
    const call = this.#publish(batch).finally(() => {
      this.#calls.delete(call);
      this.#wake();
    });
    this.#calls.add(call);
  }

  async #publish({ numbers, events }: { numbers: number[]; events: LoadEvent[] }): Promise<void> {
    for (;;) {
      try {
        await this.#options.outlet.publish(events);
        for (const number of numbers) this.unconfirmed.delete(number);
        this.confirmed += numbers.length;
        return;
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        if (!error.retryable) {
          this.failure = error;
          this.#stopping.abort();
        }
        if (this.#stopping.signal.aborted) return;
        this.retries += 1;
        await pause(RETRY_MS, this.#stopping.signal);
      }
    }
  }
}
