import type { AppendableLog } from '@pregon/outbox';
import { nowMicros } from '../events.js';

/** When something happened to the events, in microseconds, by their number. */
type Series = number[];

/** When an event passed through the hands of the application. */
export class Moments {
  /** COMMIT was sent. */
  readonly committing: Series = [];
  /** COMMIT was answered: the transaction is on disk. */
  readonly committed: Series = [];
  /** The relay handed it to the log. */
  readonly appending: Series = [];
  /** The log had made it safe. */
  readonly appended: Series = [];

  /** The same log; notes the moments before and after each append. */
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

  /** Of the events from `first` on. */
  since(first: number): Readonly<Record<'committing' | 'committed' | 'appending' | 'appended', Series>> {
    return {
      committing: this.committing.slice(first),
      committed: this.committed.slice(first),
      appending: this.appending.slice(first),
      appended: this.appended.slice(first),
    };
  }
}
