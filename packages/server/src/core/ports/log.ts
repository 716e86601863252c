import type { LogPoint, PregonEvent } from '@pregon/protocol';
import type { Ephemeral } from './ephemeral.js';
import type { Kept } from './kept.js';
import type { LogFollower, Presence, ReadPage, ReadRequest, StopFollowing } from './log-entry.js';
import type { FindRequest, Found, StoredEntry } from './stored-entry.js';
import type { WorkQueues } from './work-queue.js';

export interface AppendOptions {
  /** Whether the caller needs the points: some logs must read the appended entries to learn them. @default true */
  readonly points?: boolean;
}

/**
 * The append-only store that a gateway reads. Guarantees, proven for each implementation by `pregon/testing`:
 *
 * - **Order.** Offsets strictly increase in the order of `append`. Every reader in every process gets the entries in
 *   that order. An entry becomes visible only together with all entries before it.
 * - **Durability.** `append` resolves after fsync (or the broker's confirm). From then on, every reader gets the
 *   events. A rejected `append` may have stored any prefix of its events; appending the same events again is safe.
 * - **Once.** An event whose `source` and `id` are already retained is not stored again: it gets the point of the first
 *   one.
 * - **Points prove themselves.** An offset is never used twice, even if its entry was dropped.
 * - **Concurrency.** Any number of processes may append and read at the same time.
 */
export interface Log {
  /** The name in messages, without a password: `sqlite:data/pregon.db`. */
  readonly name: string;

  /** A channel between the gateways on this log. Absent if the log cannot provide one: broadcasts are local then. */
  readonly ephemeral?: Ephemeral;

  /**
   * 32 random bytes, generated once: the same for every process that opens this log, and secret from all others. Keys
   * are derived from them: for positions, and for the tokens with which clients prove their earlier session. The secret
   * must not be derived from the log's address or password.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED | CONFIG_INVALID if the log has no secret and this process has no
   *   permission to create one
   */
  secret(): Promise<Uint8Array>;

  /** Data that outlives retention. */
  readonly kept: Kept;

  /**
   * Counters of the log since it was opened, for operators. The log chooses their names. Absent if the log counts
   * nothing.
   */
  readonly counters?: { readonly [name: string]: number };

  /** Work queues; absent if the log has no broker. */
  readonly queues?: WorkQueues;

  /**
   * Appends events in order. They are durable when the promise resolves.
   *
   * @param events each at most `maxEventBytes` bytes of UTF-8 JSON; a `position` in an event is ignored
   * @returns one point per event, in the same order; an empty list if `points` is false and they would cost a read
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE | EVENT_ID_REUSED | EXCHANGE_UNUSABLE if the log can never
   *   accept one of the events: do not retry with it, but the others may be appended without it
   * @throws PregonError LOG_UNAVAILABLE (retryable) | LOG_CLOSED
   */
  append(events: readonly PregonEvent[], options?: AppendOptions): Promise<LogPoint[]>;

  /** The last point, of any exchange; {@link Log.floor} if the log is empty. */
  head(): Promise<LogPoint>;

  /**
   * The point before the first retained entry: the last dropped entry, or the birth of the log, which is unique to it.
   */
  floor(): Promise<LogPoint>;

  check(point: LogPoint): Promise<Presence>;

  /**
   * Reads one page. If `after` is before the floor, the page starts at the first retained entry: use {@link Log.check}
   * first.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  read(request: ReadRequest): Promise<ReadPage>;

  /**
   * The entry at a point, with all its stored attributes. Undefined if the log does not hold this very event, or if the
   * log was not opened for its exchange. For entries written by an older release, the attributes are read from the
   * payload.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  detail(point: LogPoint): Promise<StoredEntry | undefined>;

  /**
   * The retained entries with an id, in the exchanges for which the log was opened.
   *
   * The cost depends on the log. SQLite has an index, with one look-up for each source that ever appended. RabbitMQ
   * knows the offsets of the last 50,000 entries of a `source`. Any other search scans the whole stream, at some 20 µs
   * of CPU per entry, one search at a time in each process. So pass a `source` if it is known, and a `signal`.
   *
   * @throws RangeError if the limit is not a positive integer
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  find(request: FindRequest): Promise<Found>;

  /**
   * The point of the last entry of `source` whose sequence is at most `sequence`. If `source` is undefined, any source
   * counts. Returns undefined if the log has not reached that sequence yet, or if that entry is not retained. Returns
   * the floor if all entries were trimmed and that entry was the last one of the source.
   */
  locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined>;

  /**
   * Calls the follower with all entries after a point, appended by any process: first the existing ones, then new ones.
   */
  follow(after: LogPoint, follower: LogFollower): StopFollowing;

  /** Ends running calls, and frees all resources. Later calls reject with LOG_CLOSED. */
  close(): Promise<void>;
}

/** The options of any kind of log. */
export interface LogOptions {
  /** Only entries of these exchanges are read; `append` accepts any exchange. @default all */
  readonly exchanges?: readonly string[];
  /** The most bytes of UTF-8 JSON of one event, at most 64 MiB. @default 1048576 (1 MiB) */
  readonly maxEventBytes?: number;
}

export const DEFAULT_PAGE_COUNT = 1_000;
export const DEFAULT_PAGE_BYTES = 262_144;
