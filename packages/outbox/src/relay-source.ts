import type { ErrorCode, PregonEvent } from '@pregon/protocol';

/** Where a batch ends early, so that a backlog of large events is never in memory at once: 4 MiB. */
export const BATCH_BYTES = 4_194_304;

/** A row that no log can take, or that the log refuses for good. */
export interface RefusedRow {
  readonly sequence: number;
  /** The `id` of its event, if it holds one that has an id. */
  readonly id: string | undefined;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Events in sequence order, next after the point that was asked for, with none missing between. */
export interface OutboxBatch {
  readonly events: readonly PregonEvent[];
  /** The rows among them that hold no event; `add` never writes such rows. */
  readonly unreadable?: readonly RefusedRow[];
  /** The sequence of the last row; if there is none, the sequence after which they were read. */
  readonly through: number;
  /**
   * Why they are not those after the point that was asked for, but those from the lowest row that is left: what the relay knew of the
   * table, what it had appended and removed, is no longer so.
   */
  readonly anew?: string;
  /** True where a relay of another process is at work, and this one stands by. */
  readonly standby?: boolean;
  /** In how many milliseconds to look again, unless woken. @default the relay's `pollIntervalMs` */
  readonly restMs?: number;
}

/**
 * What a relay drains: one outbox table. Guarantees:
 *
 * - **Committed only.** `read` never shows what a transaction may yet roll back.
 * - **One order.** Once `read` has shown sequence n, no row with a lower one appears any more, and of two transactions that
 *   changed the same row, the first to commit has the lower ones.
 * - **No waiting.** Where the table cannot be used at this instant, because somebody else is using it, methods throw {@link NotNow}.
 *
 * A source answers at once or by a promise, as its driver does.
 */
export interface RelaySource<Answer extends number | Promise<number> = number | Promise<number>> {
  /** How to show it to people: the name of the table. */
  readonly name: string;

  /** Called before the first `read`. `wake` may be called from then on when there may be something to read. */
  start?(wake: () => void): void;

  /** The rows after a sequence: at most `maxCount`, and few enough for a bounded share of memory. */
  read(after: number, maxCount: number): OutboxBatch | Promise<OutboxBatch>;

  /**
   * Removes the rows that `read` showed, up to and with a sequence.
   *
   * @param refused the rows among them that are not in the log: they are set aside in the same transaction, with the reason
   */
  remove(through: number, refused: readonly RefusedRow[]): void | Promise<void>;

  /** Called where the log fails, so that a relay of another process may try in the place of this one. */
  stepAside?(): void;

  /** Called after the last `read`; what the source holds is free when it resolves. */
  stop?(): Promise<void>;

  /** The number of rows after a sequence. */
  count(after: number): Answer;

  /** The number of rows that are set aside. */
  countStuck(): Answer;

  /** How long ago the first row after a sequence was written, in milliseconds; 0 where there is none. */
  lagMs(after: number): Answer;
}

/** The table is in use at this instant, which passes by itself: not a failure, only a reason to come back. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
}
