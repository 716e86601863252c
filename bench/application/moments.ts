import type { AppendableLog } from '@pregon/outbox';
import { nowMicros } from '../events.js';

/** Times in microseconds, by event number. */
type Series = number[];

/** The times at which an event passed through the application. */
export class Moments {
  /** COMMIT was sent. */
  readonly committing: Series = [];
  /** COMMIT was answered: the transaction is on disk. */
  readonly committed: Series = [];
  /** The relay passed the event to the log. */
  readonly appending: Series = [];
  /** The log confirmed that the event is durable. */
  readonly appended: Series = [];

  /** Wraps a log to record the times before and after each append. */
  watch(log: AppendableLog): AppendableLog {
    return {
      append: async (events, options) => {
        const before = nowMicros();
        const answer = await log.append(events, options);
        const after = nowMicros();
        for (const { id } of events) {
          this.appending[Number(id)] = before;
          this.appended[Number(id)] = after;
        }
        return answer;
      },
    };
  }

  /** The times of the events from `first` on. */
  since(first: number): Readonly<Record<'committing' | 'committed' | 'appending' | 'appended', Series>> {
    return {
      committing: this.committing.slice(first),
      committed: this.committed.slice(first),
      appending: this.appending.slice(first),
      appended: this.appended.slice(first),
    };
  }
}
