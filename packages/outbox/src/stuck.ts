import { integerIn, textIn, valueIn } from './column.js';

/** An event that a relay has set aside: no log can take it, or the log refused it for good. */
export interface StuckEvent {
  /** Its former sequence in the outbox, which is never used again. */
  readonly sequence: number;
  /** The id of the event; undefined if the row holds no event, or one without an id. */
  readonly id: string | undefined;
  /** The error code of the refusal: `EVENT_INVALID`, `EVENT_TOO_LARGE`, `EVENT_ID_REUSED`, `EXCHANGE_UNUSABLE`. */
  readonly code: string;
  /** The reason in words. */
  readonly reason: string;
  /** The time when the event was written, in milliseconds since the epoch. */
  readonly writtenAt: number;
  /** The time when it was set aside, in milliseconds since the epoch. */
  readonly stuckAt: number;
  /** The text of the row: CloudEvents JSON, unless another program wrote something else. */
  readonly event: string;
}

/** A choice of stuck events. Several may have the same `id`; then all of them are chosen. */
export type StuckChoice = 'all' | { readonly id: string } | { readonly sequence: number };

/** A plain value on SQLite, a promise on PostgreSQL. */
type AnswerOf<T, Answer> = Answer extends number ? T : Promise<T>;

/**
 * The events that a relay has set aside. They stay until they are retried or dropped.
 *
 * `Answer` is `number` on SQLite, which answers at once, and `Promise<number>` on PostgreSQL.
 *
 * @example
 * const stuck = outbox.stuck(db);
 * for (const { sequence, code, reason } of await stuck.list()) console.log(sequence, code, reason);
 * await stuck.retry({ id: 'user-1' });
 */
export interface StuckEvents<Answer extends number | Promise<number> = number> {
  /**
   * Returns stuck events, in the order in which they were written.
   *
   * @param limit the maximum number of events, at least 1. Default: 100
   * @throws RangeError if the limit is not an integer of at least 1
   */
  list(limit?: number): AnswerOf<readonly StuckEvent[], Answer>;
  /** Returns the number of stuck events. */
  count(): Answer;
  /**
   * Puts events back into the outbox, in the order in which they were written. They get the next numbers, so they come
   * after all events relayed in the meantime. An event that the log refuses again is set aside again.
   *
   * @returns the number of events; 0 if there is no such event
   * @throws TypeError if `which` is not a choice
   */
  retry(which: StuckChoice): Answer;
  /**
   * Deletes events for good.
   *
   * @returns the number of events; 0 if there is no such event
   * @throws TypeError if `which` is not a choice
   */
  drop(which: StuckChoice): Answer;
}

export const DEFAULT_STUCK_LIMIT = 100;

/**
 * Reads a row of the table of stuck events.
 *
 * @param event its text, in a form that may be shown
 * @throws TypeError if a column has another type
 */
export function stuckEventOf(row: unknown, event: string): StuckEvent {
  const id = valueIn(row, 'id');
  return {
    sequence: integerIn(row, 'sequence'),
    id: typeof id === 'string' ? id : undefined,
    code: textIn(row, 'code'),
    reason: textIn(row, 'reason'),
    writtenAt: integerIn(row, 'written_at'),
    stuckAt: integerIn(row, 'stuck_at'),
    event,
  };
}

/** @throws TypeError if it is not a choice: a mistake must not drop all events */
export function assertStuckChoice(which: unknown): asserts which is StuckChoice {
  const { id, sequence } = Object(which);
  const isOne = typeof id === 'string' ? sequence === undefined : id === undefined && Number.isSafeInteger(sequence);
  if (which !== 'all' && !isOne) throw new TypeError("choose the stuck events: 'all', { id } or { sequence }");
}

/** @throws RangeError if it is not an integer of at least 1 */
export function assertStuckLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('limit must be an integer of at least 1');
}
