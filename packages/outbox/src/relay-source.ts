import type { ErrorCode, PregonEvent } from '@pregon/protocol';
import type { RevocationSource } from './revocations/revocation-source.js';

/** The size at which a batch ends early, so that a backlog of large events is never in memory at once: 4 MiB. */
export const BATCH_BYTES = 4_194_304;

/** A row that no log can take, or that the log refuses for good. */
export interface RefusedRow {
  readonly sequence: number;
  /** The `id` of its event, if it holds one that has an id. */
  readonly id: string | undefined;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Events in the order of their sequence, directly after the requested point, with none missing. */
export interface OutboxBatch {
  readonly events: readonly PregonEvent[];
  /** The rows among them that hold no event; `add` never writes such rows. */
  readonly unreadable?: readonly RefusedRow[];
  /** The sequence of the last row; if there is none, the sequence after which they were read. */
  readonly through: number;
  /**
   * Set if the events do not start after the requested point but at the lowest remaining row: what the relay knew about
   * the table (what it had appended and removed) is no longer valid. The text is the reason.
   */
  readonly anew?: string;
  /** True if a relay of another process is active and this one stands by. */
  readonly standby?: boolean;
  /** The delay before the next read, in milliseconds, unless woken. @default the relay's `pollIntervalMs` */
  readonly restMs?: number;
}

/**
 * The source of a relay: one outbox table. Guarantees:
 *
 * - **Committed only.** `read` never returns rows that a transaction may still roll back.
 * - **One order.** Once `read` has returned sequence n, no row with a lower one appears any more. If two transactions
 *   changed the same row, the first to commit has the lower sequences.
 * - **No waiting.** If the table cannot be used at this instant, because it is in use, methods throw {@link NotNow}.
 *
 * A source answers with a value or a promise, as its driver does.
 */
export interface RelaySource<Answer extends number | Promise<number> = number | Promise<number>> {
  /** The name for people: that of the table. */
  readonly name: string;

  /** The revocations of the outbox. @default it has none */
  readonly revocations?: RevocationSource;

  /** Called before the first `read`. The source may call `wake` from then on, when there may be something to read. */
  start?(wake: () => void): void;

  /** Returns the rows after a sequence: at most `maxCount`, and few enough to bound memory. */
  read(after: number, maxCount: number): OutboxBatch | Promise<OutboxBatch>;

  /**
   * Removes the rows that `read` returned, up to and including a sequence.
   *
   * @param refused the rows among them that are not in the log; they are set aside in the same transaction, with the
   * reason
   */
  remove(through: number, refused: readonly RefusedRow[]): void | Promise<void>;

  /** Called if the log fails, so that a relay of another process may try instead of this one. */
  stepAside?(): void;

  /** Called after the last `read`; when it resolves, the source has released everything. */
  stop?(): Promise<void>;

  /** Returns the number of rows after a sequence. */
  count(after: number): Answer;

  /** Returns the number of rows that are set aside. */
  countStuck(): Answer;

  /** Returns the age of the first row after a sequence, in milliseconds; 0 if there is none. */
  lagMs(after: number): Answer;
}

/** The table is in use at this instant. This is temporary and not a failure: the relay tries again. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
}
