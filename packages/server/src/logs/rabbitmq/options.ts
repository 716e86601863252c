import type { LogOptions } from '../../core/ports/log.js';
import type { LogState } from '../../core/ports/log-driver.js';

/** The retention of a stream. RabbitMQ drops whole segments, the oldest first, and never the one to which it writes. */
export interface RabbitRetention {
  /** The age at which segments are dropped, in milliseconds; RabbitMQ counts in whole seconds. @default no limit */
  readonly maxAgeMs?: number;
  /** The maximum number of bytes on disk. @default 1 GiB if no retention is given */
  readonly maxBytes?: number;
  /** The size of a segment in bytes; it determines how exact the limits are. @default 64 MiB */
  readonly segmentBytes?: number;
}

export type RabbitState = LogState;

export interface RabbitLogOptions extends LogOptions {
  /** The queue that holds the log, if the URL does not name it. @default 'pregon' */
  readonly stream?: string;
  /** The retention of a stream that this call creates; an existing stream keeps its own. @default 1 GiB */
  readonly retention?: RabbitRetention;
  /** The time for which `append` retries before it rejects with LOG_UNAVAILABLE, in milliseconds. @default 30000 */
  readonly appendTimeoutMs?: number;
  /** The same for all reads. @default 10000 */
  readonly readTimeoutMs?: number;
  /** Ends the wait for a broker that cannot be reached; opening then rejects with LOG_CLOSED. */
  readonly signal?: AbortSignal;
  /** Receives the state of the broker. @default warns through {@link RabbitLogOptions.onWarning} while waiting */
  readonly onState?: (state: RabbitState) => void;
  /** Receives failures that lose no event, such as messages that are not events. @default `process.emitWarning` */
  readonly onWarning?: (error: Error) => void;
}

export const DEFAULT_APPEND_TIMEOUT_MS = 30_000;
export const DEFAULT_READ_TIMEOUT_MS = 10_000;

/** Counters of a log since it was opened. */
export type RabbitCounters = {
  /** Messages that no reader gets. */
  readonly poisoned: number;
  /** Repeated entries, which were delivered once. */
  readonly duplicates: number;
  /** How often pending messages had to be published again. */
  readonly repeats: number;
};
