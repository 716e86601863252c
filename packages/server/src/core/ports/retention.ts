import type { LogPoint } from '@pregon/protocol';

/**
 * How much a log keeps. Each limit that is given holds; the oldest entries are dropped first. Where several processes append
 * to one log, the strictest of their limits holds. Whoever appends or follows applies it, a moment after something
 * was appended: a log that nobody appends to keeps what it has.
 */
export interface Retention {
  /** The most entries. @default no limit */
  readonly maxCount?: number;
  /** The age at which entries are dropped, in milliseconds since they were appended. @default no limit */
  readonly maxAgeMs?: number;
  /** The most bytes of payload; a file takes about 1.6 times as much. @default no limit */
  readonly maxBytes?: number;
}

export interface TrimResult {
  /** How many entries were dropped. */
  readonly dropped: number;
  /** The new floor: the last entry that was ever dropped. */
  readonly floor: LogPoint;
}

/** What a log holds at one moment. */
export interface LogInfo {
  readonly count: number;
  /** Bytes of payload. */
  readonly bytes: number;
  /** Bytes on disk, with what SQLite keeps beside the file. */
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
