import { assertMaxEventBytes, DEFAULT_MAX_EVENT_BYTES } from '@pregon/protocol';
import { DEFAULT_TABLE } from './sql.js';

export interface OutboxOptions {
  /**
   * A URI reference that names the producer, `/auction`: the `source` of every event. One table has one source and one source has
   * one table, since `sequence` counts within a source.
   */
  readonly source: string;
  /** @default 'pregon_outbox' */
  readonly table?: string;
  /** The most bytes of UTF-8 JSON of one event, at most 64 MiB: not more than the log's own limit. @default 1048576 (1 MiB) */
  readonly maxEventBytes?: number;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
}

/** @throws TypeError | RangeError for options that cannot be; the name of the table is left to the dialect */
export function completeOptions(options: OutboxOptions): Required<OutboxOptions> {
  const { source, table = DEFAULT_TABLE, maxEventBytes = DEFAULT_MAX_EVENT_BYTES, now = Date.now } = options;
  if (typeof source !== 'string' || source === '') throw new TypeError('source must be a non-empty string');
  assertMaxEventBytes(maxEventBytes);
  return { source, table, maxEventBytes, now };
}
