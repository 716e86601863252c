import type { LogOptions } from '../../core/ports/log.js';
import type { LogState } from '../../core/ports/log-driver.js';

/** How much a stream keeps; RabbitMQ drops whole segments, the oldest first, and never the one that it writes to. */
export interface RabbitRetention {
  /** The age at which segments are dropped, in milliseconds; RabbitMQ counts in whole seconds. @default no limit */
  readonly maxAgeMs?: number;
  /** The most bytes on disk. @default 1 GiB, as long as nothing is said about retention */
  readonly maxBytes?: number;
  /** The size of a segment in bytes, hence how exact the limits are. @default 64 MiB */
  readonly segmentBytes?: number;
}

export type RabbitState = LogState;

export interface RabbitLogOptions extends LogOptions {
  /** The queue that holds the log, where the URL does not name it. @default 'pregon' */
  readonly stream?: string;
  /** What a stream keeps that is made by this call; one that is there keeps what it kept. @default 1 GiB */
  readonly retention?: RabbitRetention;
  /** How long `append` tries before it rejects with LOG_UNAVAILABLE, in milliseconds. @default 30000 */
  readonly appendTimeoutMs?: number;
  /** The same for all that reads. @default 10000 */
  readonly readTimeoutMs?: number;
  /** Ends the wait for a broker that cannot be reached: opening rejects with LOG_CLOSED. */
  readonly signal?: AbortSignal;
  /** @default {@link RabbitLogOptions.onWarning}, while waiting */
  readonly onState?: (state: RabbitState) => void;
  /** Told of what went wrong and costs no event: messages that are none, publishing again. @default `process.emitWarning` */
  readonly onWarning?: (error: Error) => void;
}

export const DEFAULT_APPEND_TIMEOUT_MS = 30_000;
export const DEFAULT_READ_TIMEOUT_MS = 10_000;

/** What a log has met since it was opened. */
export interface RabbitCounters {
  /** Messages that were delivered to nobody. */
  readonly poisoned: number;
  /** Entries that were there a second time, and were delivered once. */
  readonly duplicates: number;
  /** How often what was on its way had to be published again. */
  readonly repeats: number;
}
