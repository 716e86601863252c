import type { PregonEvent, RevocationLog } from '@pregon/protocol';

/** The part of a log that a relay needs; `Log` of the package `pregon` has it. */
export interface AppendableLog {
  /**
   * Resolves when all events are safe, in this order. If it rejects, any prefix of them may be stored, and the relay
   * appends the same events again. If the log already holds an event with the same `source` and `id`, readers must not
   * get it twice.
   *
   * An error with `retryable: false` and the code EVENT_INVALID, EVENT_TOO_LARGE, EVENT_ID_REUSED or EXCHANGE_UNUSABLE
   * means that the log can never take one of the events: the relay finds out which one and sets it aside. Any other
   * error is an outage.
   *
   * @param options `points: false` means that the relay does not need the points of the events, which some logs must
   * read to know
   */
  append(events: readonly PregonEvent[], options?: { readonly points?: boolean }): Promise<unknown>;

  /** Where revocations are kept. A log without it can relay events only. */
  readonly kept?: RevocationLog['kept'];
}

/** The shape of a pino logger. */
export interface RelayLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface RelayOptions {
  readonly log: AppendableLog;
  /** The maximum number of events in one `append`. @default 500 */
  readonly batchSize?: number;
  /**
   * The polling interval, in milliseconds, for events without a notification.
   * @default depends on the database, see its own options
   */
  readonly pollIntervalMs?: number;
  /**
   * The time for which `stop` waits for the log to answer, in milliseconds. After that, the relay abandons the batch in
   * progress, and the next start appends it again.
   * @default 5000
   */
  readonly stopTimeoutMs?: number;
  /**
   * Called once for each outage when it begins, for each event that was set aside, and when the relay stops for good.
   * @default process.emitWarning
   */
  readonly onError?: (error: Error) => void;
  readonly logger?: RelayLogger;
}

/**
 * The activity of a relay.
 *
 * - `stopped`: not started, or stopped.
 * - `standby`: the relay of another process drains the table; this one takes over when that one ends. PostgreSQL only.
 * - `idle`: all committed events are in the log.
 * - `relaying`: a batch is on its way.
 * - `waiting`: the table has not answered yet, another process has locked it, or a transaction is open on the
 *   connection. This passes by itself.
 * - `retrying`: the log or the database fails; the relay retries with backoff.
 * - `failed`: the log no longer works, because it is closed or not configured. No event is skipped: remove the cause,
 *   then call `start` again.
 */
export type RelayState = 'stopped' | 'standby' | 'idle' | 'relaying' | 'waiting' | 'retrying' | 'failed';

/**
 * Drains one outbox table into a log. Guarantees:
 *
 * - **Order.** Events reach the log in the order of their sequence, none skipped, even if several relays drain one
 *   table.
 * - **No event blocks the others.** A row that can never be taken (it holds no event, or the log refuses it for good)
 *   is set aside with the reason, reported and counted, and the others continue. An outage sets nothing aside.
 * - **At least once.** A row is removed only after the log has made its event safe. If an event is appended again after
 *   a crash, the log recognizes it by `source` and `id`. Together this means exactly once.
 * - **Revocations first.** Revocations do not wait behind events. They are kept in the log before they are appended.
 * - **Committed only.** Changes that may still be rolled back are not relayed, even if the relay shares the connection
 *   of the writers.
 *
 * `Answer` is the form of its answers: a value, or a promise, depending on the database.
 */
export interface Relay<Answer extends number | Promise<number> = number> {
  readonly state: RelayState;
  /** Starts to drain; keeps the process alive until `stop`. Has no effect on a running relay. */
  start(): void;
  /** Looks for events now instead of at the next poll. `add` calls it. */
  wake(): void;
  /**
   * Ends the batch in progress and resolves; afterwards the relay uses neither the database nor the log. Waits for the
   * log for at most {@link RelayOptions.stopTimeoutMs}.
   */
  stop(): Promise<void>;
  /**
   * The number of events that are written and not yet known to be in the log, except those set aside. Reads the table.
   */
  pending(): Answer;
  /** The age of the oldest of these events, in milliseconds; 0 if there is none. Reads the table. */
  lagMs(): Answer;
  /**
   * The number of events that are set aside. If it is not 0, an operator must decide, see `pregon outbox stuck`. Reads
   * the table.
   */
  stuck(): Answer;
}
