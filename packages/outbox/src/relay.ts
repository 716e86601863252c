import type { PregonEvent } from '@pregon/protocol';

/** The log, as far as a relay needs it; `Log` of the package `pregon` is one. */
export interface AppendableLog {
  /**
   * Resolves when all events are safe, in this order. Where it rejects, any prefix of them may be stored, and the relay appends
   * the same again. An event whose `source` and `id` the log holds already must not be read from it a second time.
   *
   * An error with `retryable: false` and the code EVENT_INVALID, EVENT_TOO_LARGE, EVENT_ID_REUSED or EXCHANGE_UNUSABLE says that one of the
   * events can never be taken: the relay finds out which, and sets it aside. Any other error is an outage.
   *
   * @param options.points false: the relay has no use for the points of the events, which some logs must read to know
   */
  append(events: readonly PregonEvent[], options?: { readonly points?: boolean }): Promise<unknown>;
}

/** The shape of a pino logger. */
export interface RelayLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface RelayOptions {
  readonly log: AppendableLog;
  /** The most events in one `append`. @default 500 */
  readonly batchSize?: number;
  /** How long an event may go unseen where nothing tells of it. @default see the database's own options */
  readonly pollIntervalMs?: number;
  /**
   * How long `stop` waits for the log to answer, in milliseconds. After that it gives up the batch in progress, and the next start appends
   * it again. @default 5000
   */
  readonly stopTimeoutMs?: number;
  /**
   * Called once for each outage, when it begins, for each event that was set aside, and when the relay stops for good.
   * @default process.emitWarning
   */
  readonly onError?: (error: Error) => void;
  readonly logger?: RelayLogger;
}

/**
 * What a relay is doing.
 *
 * - `stopped`: not started, or stopped.
 * - `standby`: the relay of another process drains the table; this one takes over where that one ends. PostgreSQL only.
 * - `idle`: all that was committed is in the log.
 * - `relaying`: a batch is on its way.
 * - `waiting`: the table has not answered yet, somebody else has it locked, or a transaction is open on the connection; it passes
 *   by itself.
 * - `retrying`: the log or the database fails; tried again at growing intervals.
 * - `failed`: the log does not work any more, since it is closed or not configured. Nothing is skipped: remove the cause, then `start`
 *   again.
 */
export type RelayState = 'stopped' | 'standby' | 'idle' | 'relaying' | 'waiting' | 'retrying' | 'failed';

/**
 * Drains one outbox table into a log. Guarantees:
 *
 * - **Order.** Events reach the log in the order of their sequence, none skipped, also when several relays drain one table.
 * - **No event blocks the others.** A row that can never be taken (it holds no event, or the log refuses it for good) is set aside with the
 *   reason, reported and counted, and the others go on. An outage sets nothing aside.
 * - **At least once.** A row is removed after the log has made its event safe, never before. What is appended again after a
 *   crash, the log knows by `source` and `id`: together, once.
 * - **Committed only.** Nothing that may yet be rolled back is relayed, also when the relay shares the connection of the writers.
 *
 * `Answer` is how its database answers: at once, or by a promise.
 */
export interface Relay<Answer extends number | Promise<number> = number> {
  readonly state: RelayState;
  /** Begins to drain; keeps the process alive until `stop`. Without effect on a relay that runs. */
  start(): void;
  /** Looks for events now rather than at the next poll. `add` does this by itself. */
  wake(): void;
  /**
   * Ends the batch on its way and resolves; then neither the database nor the log is used any more. Waits for the log for
   * {@link RelayOptions.stopTimeoutMs} at most.
   */
  stop(): Promise<void>;
  /** The number of events that are written and not yet known to be in the log, without those set aside. Reads the table. */
  pending(): Answer;
  /** The age of the oldest of them in milliseconds, 0 where there is none. Reads the table. */
  lagMs(): Answer;
  /** The number of events that are set aside; if it is not 0, an operator must decide, see `pregon outbox stuck`. Reads the table. */
  stuck(): Answer;
}
