import type { PregonEvent } from '@pregon/protocol';

/** Events in sequence order, next after the point that was asked for, with none missing between. */
export interface OutboxBatch {
  readonly events: readonly PregonEvent[];
  /** The sequence of the last one; where there is none, the point that was asked for. */
  readonly through: number;
}

/**
 * What a relay drains: one outbox table. Guarantees:
 *
 * - **Committed only.** `read` never shows what a transaction may yet roll back.
 * - **Commit order.** Once `read` has shown sequence n, no row with a lower one appears any more.
 * - **No waiting.** Where the table cannot be used at this instant, because somebody else is using it, methods throw {@link NotNow}.
 */
export interface RelaySource {
  /** How to show it to people: the name of the table. */
  readonly name: string;

  /**
   * The events after a sequence: at most `maxCount`, and few enough for a bounded share of memory.
   *
   * @throws PregonError EVENT_INVALID where a row holds no event, which `add` never writes
   */
  read(after: number, maxCount: number): OutboxBatch;

  /** True where the table has never given out this sequence: it was restored or made anew after the sequence was read. */
  isAhead(sequence: number): boolean;

  /** Removes the rows up to and with a sequence that `read` showed. */
  remove(through: number): void;

  /** The number of rows after a sequence. */
  count(after: number): number;

  /** When the first row after a sequence was written, milliseconds since the epoch; undefined where there is none. */
  oldestMs(after: number): number | undefined;
}

/** The table is in use at this instant, which passes by itself: not a failure, only a reason to come back. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
}
