import type { LogPoint } from '@pregon/protocol';
import type { EncodedEvent } from '../shared/encode.js';
import { ReusedId } from '../shared/same-event.js';
import { toUnavailable } from '../shared/unavailable.js';

/**
 * The limits of one transaction, so that it holds the write lock and blocks the event loop for a few milliseconds only.
 */
const GROUP_COUNT = 500;
const GROUP_BYTES = 2_097_152;

interface Job {
  readonly events: readonly EncodedEvent[];
  readonly points: LogPoint[];
  readonly resolve: (points: LogPoint[]) => void;
  readonly reject: (error: Error) => void;
}

export interface AppenderOptions {
  /**
   * Stores events in one transaction; may wait for the write lock.
   * @throws ReusedId for an event for which only its own job must fail
   */
  readonly store: (events: readonly EncodedEvent[]) => Promise<LogPoint[]>;
  /** Called after each transaction, before the appends that it completes resolve. Must not throw. */
  readonly onAppended: () => void;
}

/** Group commit: appends of one turn of the event loop share transactions, and so the cost of an fsync. */
export class SqliteAppender {
  readonly #options: AppenderOptions;
  #jobs: Job[] = [];
  #running: Promise<void> | undefined;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  append(events: readonly EncodedEvent[]): Promise<LogPoint[]> {
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#jobs.push({ events, points: [], resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when no append is pending. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.#commitGroup();
    }
    this.#running = undefined;
  }

  async #commitGroup(): Promise<void> {
    const { jobs, events } = this.#nextGroup();
    try {
      const points = await this.#options.store(events);
      let from = 0;
      for (const job of jobs) {
        const missing = job.events.length - job.points.length;
        job.points.push(...points.slice(from, from + missing));
        from += missing;
      }
    } catch (error) {
      // Only the job with the reused id fails. The transaction was rolled back, so the other jobs are stored with the
      // next one.
      const atFault = error instanceof ReusedId ? jobs.filter(({ events }) => events.includes(error.event)) : jobs;
      this.#jobs = this.#jobs.filter((job) => !atFault.includes(job));
      for (const job of atFault) job.reject(error instanceof ReusedId ? error : toUnavailable(error));
      return;
    }
    this.#options.onAppended();
    while (this.#jobs[0] && this.#jobs[0].points.length === this.#jobs[0].events.length) {
      const job = this.#jobs.shift();
      job?.resolve(job.points);
    }
  }

  /** Returns the oldest waiting events and their jobs; the last job may be included only in part. */
  #nextGroup(): { jobs: Job[]; events: EncodedEvent[] } {
    const jobs: Job[] = [];
    const events: EncodedEvent[] = [];
    let bytes = 0;
    for (const job of this.#jobs) {
      jobs.push(job);
      for (let index = job.points.length; index < job.events.length; index++) {
        const event = job.events[index];
        if (!event) break;
        events.push(event);
        bytes += event.payload.length;
        if (events.length === GROUP_COUNT || bytes >= GROUP_BYTES) return { jobs, events };
      }
    }
    return { jobs, events };
  }
}
