import type { LogPoint } from '@pregon/protocol';

/**
 * One event as the log stores it: the attributes for routing, and the JSON text, which is delivered without being
 * parsed.
 */
export interface LogEntry extends LogPoint {
  readonly exchange: string;
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  /** The number in the event's `sequence` attribute; undefined if it has none. */
  readonly sequence: number | undefined;
  /**
   * The event as compact JSON in UTF-8, with all attributes but `position`. It is an object with at least one member,
   * so it ends in `}`. {@link LogPoint.fingerprint} is the fingerprint of these bytes.
   */
  readonly payload: Uint8Array;
}

export interface ReadRequest {
  /** Read from the first entry with a greater offset. */
  readonly after: number;
  /** Read no entry with a greater offset. @default the head */
  readonly through?: number;
  /** The most entries in the page. @default 1000 */
  readonly maxCount?: number;
  /** Stop after the entry with which the page reaches this many bytes of payload. @default 262144 (256 KiB) */
  readonly maxBytes?: number;
}

/** Consecutive entries in log order, without gaps between `after` and `through`. */
export interface Page {
  /** The entries of the exchanges for which the log was opened. */
  readonly entries: readonly LogEntry[];
  /**
   * The point where the page ends; it may be an event of another exchange. For the last page of a range, it is the last
   * point in the range.
   */
  readonly through: LogPoint;
}

/** The answer to a {@link ReadRequest}. */
export interface ReadPage extends Page {
  /**
   * True if the log has no more entries of the range after `through`. An empty page alone does not mean that. If it is
   * false, `through` is after the request's `after`, so the next read makes progress.
   */
  readonly complete: boolean;
}

/**
 * The state of a point in a log. `present`: the log holds this very event. `truncated`: retention has dropped it.
 * `replaced`: the log never held it, or holds another event at that offset.
 */
export type Presence = 'present' | 'truncated' | 'replaced';

export interface LogFollower {
  /** Called with new entries: each page once, in order, without gaps between two calls. */
  appended(page: Page): void;
  /**
   * The followed point is gone: the log was replaced, or has dropped its next entries. Following continues at `head`.
   */
  replaced(head: LogPoint): void;
  /** The log cannot be read at the moment; following retries by itself. Called once per outage. */
  unavailable(error: Error): void;
  /** The log can be read again, and no entry was missed (otherwise `replaced` is called first). */
  available(): void;
}

/** Stops following. After it resolves, no method of the follower is called. */
export type StopFollowing = () => Promise<void>;
