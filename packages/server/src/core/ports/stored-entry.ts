import type { LogEntry } from './log-entry.js';

/** What a log keeps of an event beside what routing needs. Strings as the producer wrote them; undefined if the event has none. */
export interface EventAttributes {
  /** When it happened, RFC 3339. */
  readonly time: string | undefined;
  /** What it happened to: `user/42`. */
  readonly subject: string | undefined;
  /** The trace in which it was made: the CloudEvents extension for distributed tracing, in the form of W3C Trace Context. */
  readonly traceparent: string | undefined;
}

/**
 * An entry with all that the log keeps of it. Pages carry {@link LogEntry} only: four more strings cost each delivery about as much as
 * the payload does, and few readers want them. A log gives them on demand, see {@link Log.detail}.
 */
export interface StoredEntry extends LogEntry, EventAttributes {
  readonly id: string;
}

export interface FindRequest {
  readonly id: string;
  /** Only the event of this source. @default of any source: an id is unique for its source alone */
  readonly source?: string;
  /** The most entries to find. @default 100 */
  readonly limit?: number;
  /** Ends the search: the answer is what was found until then, and not complete. */
  readonly signal?: AbortSignal;
}

export interface Found {
  /** In the order of the log, at most one of each source. */
  readonly entries: readonly StoredEntry[];
  /** Whether all was searched that the log held when it was asked, so that nothing else has this id. */
  readonly complete: boolean;
}

export const DEFAULT_FIND_LIMIT = 100;
