import type { LogEntry } from './log-entry.js';

/** Stored attributes of an event that routing does not need, as the producer wrote them; undefined if absent. */
export interface EventAttributes {
  /** The time of the event, RFC 3339. */
  readonly time: string | undefined;
  /** The subject of the event: `user/42`. */
  readonly subject: string | undefined;
  /** The trace of the producer, in the form of W3C Trace Context: the CloudEvents extension for distributed tracing. */
  readonly traceparent: string | undefined;
}

/**
 * An entry with all its stored attributes. Pages contain only {@link LogEntry}: four more strings would cost each
 * delivery about as much as the payload, and few readers need them. {@link Log.detail} returns them on demand.
 */
export interface StoredEntry extends LogEntry, EventAttributes {
  readonly id: string;
}

export interface FindRequest {
  readonly id: string;
  /** Only the event of this source: an id is unique within its source only. @default any source */
  readonly source?: string;
  /** The most entries to find. @default 100 */
  readonly limit?: number;
  /** Stops the search: the result contains the entries found so far, and is not complete. */
  readonly signal?: AbortSignal;
}

export interface Found {
  /** In log order, at most one entry of each source. */
  readonly entries: readonly StoredEntry[];
  /** True if the search covered all entries at the time of the call, so that no other entry has this id. */
  readonly complete: boolean;
}

export const DEFAULT_FIND_LIMIT = 100;
