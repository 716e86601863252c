import { assertMaxEventBytes, DEFAULT_MAX_EVENT_BYTES } from '@pregon/protocol';
import { DEFAULT_TABLE } from './sql.js';

export interface OutboxOptions {
  /**
   * A URI reference that names the producer, such as `/auction`: the `source` of every event. Each table needs its own
   * source, and each source its own table, because `sequence` counts within a source.
   */
  readonly source: string;
  /** @default 'pregon_outbox' */
  readonly table?: string;
  /**
   * The maximum size of one event, in bytes of UTF-8 JSON, up to 64 MiB; not more than the log's own limit.
   * @default 1048576 (1 MiB)
   */
  readonly maxEventBytes?: number;
  /** Returns the current time, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
}

/** @throws TypeError | RangeError for invalid options; the dialect checks the name of the table */
export function completeOptions(options: OutboxOptions): Required<OutboxOptions> {
  const { source, table = DEFAULT_TABLE, maxEventBytes = DEFAULT_MAX_EVENT_BYTES, now = Date.now } = options;
  if (typeof source !== 'string' || source === '') throw new TypeError('source must be a non-empty string');
  assertMaxEventBytes(maxEventBytes);
  return { source, table, maxEventBytes, now };
}
