import type { LogPoint } from '@pregon/protocol';

/** One event as the log holds it: what routing needs, and the JSON text that is delivered, never parsed on the way. */
export interface LogEntry extends LogPoint {
  readonly exchange: string;
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  /** The number in the event's `sequence` attribute, where it has one. */
  readonly sequence: number | undefined;
  /**
   * The event as compact JSON in UTF-8, all attributes but `position`; an object with at least one member, so it ends in `}`.
   * Its {@link LogPoint.fingerprint} is that of these bytes.
   */
  readonly payload: Uint8Array;
}

export interface ReadRequest {
  /** Read from the first entry whose offset is greater. */
  readonly after: number;
  /** Read no entry whose offset is greater. @default the head */
  readonly through?: number;
  /** The most entries in the page. @default 1000 */
  readonly maxCount?: number;
  /** Stop after the entry with which this many bytes of payload are reached. @default 262144 (256 KiB) */
  readonly maxBytes?: number;
}

/** A run of entries in log order, with nothing missing between `after` and `through`. */
export interface Page {
  /** Those of the exchanges that the log was opened for. */
  readonly entries: readonly LogEntry[];
  /** The point up to which the page goes; it may be an event of another exchange. At the end of the range it is the last point in it. */
  readonly through: LogPoint;
}

/** A page that was asked for. */
export interface ReadPage extends Page {
  /**
   * Whether the log was seen to hold nothing of the range after `through`. Only this says so, an empty page does not. Where it is
   * false, `through` lies after the request's `after`, so who reads on gets further.
   */
  readonly complete: boolean;
}

/**
 * What a point is to a log: it holds this very event; it has dropped it by retention; or it never held it, or holds another event at
 * that offset.
 */
export type Presence = 'present' | 'truncated' | 'replaced';

export interface LogFollower {
  /** New entries, each page once, in order, with nothing missing between two calls. */
  appended(page: Page): void;
  /** What was followed is no longer there: another log stands in its place, at `head`. Following goes on from there. */
  replaced(head: LogPoint): void;
  /** The log cannot be read for now; following tries again by itself. Called once per outage. */
  unavailable(error: Error): void;
  /** Reading works again, with nothing missed (else `replaced` comes first). */
  available(): void;
}

/** Stops following; when it resolves, no method of the follower is called any more. */
export type StopFollowing = () => Promise<void>;
