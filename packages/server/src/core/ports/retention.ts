import type { LogPoint } from '@pregon/protocol';

/**
 * How much a log retains. All given limits apply; the oldest entries are dropped first. If several processes append to
 * one log, the strictest of their limits apply. Processes that append or follow apply the limits shortly after an
 * append: without appends, a log drops nothing.
 */
export interface Retention {
  /** The most entries. @default no limit */
  readonly maxCount?: number;
  /** The age at which entries are dropped, in milliseconds since the append. @default no limit */
  readonly maxAgeMs?: number;
  /** The most bytes of payload; a file takes about 1.6 times as much. @default no limit */
  readonly maxBytes?: number;
}

export interface TrimResult {
  /** The number of dropped entries. */
  readonly dropped: number;
  /** The new floor: the last dropped entry. */
  readonly floor: LogPoint;
}

/** The contents of a log at one moment. */
export interface LogInfo {
  readonly count: number;
  /** Bytes of payload. */
  readonly bytes: number;
  /** Bytes on disk, including the files that SQLite keeps beside the database. */
  readonly fileBytes: number;
  readonly floor: LogPoint;
  /** The oldest retained entry. */
  readonly first: LogMark | undefined;
  /** The newest entry. */
  readonly last: LogMark | undefined;
}

export interface LogMark {
  readonly point: LogPoint;
  /** When it was appended, in milliseconds since 1970. */
  readonly time: number;
}
