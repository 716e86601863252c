import type { LogPoint, PregonEvent } from '@pregon/protocol';
import type { Ephemeral } from './ephemeral.js';
import type { Kept } from './kept.js';
import type { LogFollower, Presence, ReadPage, ReadRequest, StopFollowing } from './log-entry.js';
import type { FindRequest, Found, StoredEntry } from './stored-entry.js';
import type { WorkQueues } from './work-queue.js';

export interface AppendOptions {
  /** Whether the caller wants the points: some logs learn them only by reading what they have appended. @default true */
  readonly points?: boolean;
}

/**
 * The append-only store that a gateway reads. Guarantees, proven for each implementation by `pregon/testing`:
 *
 * - **Order.** Offsets are strictly increasing in the order of `append`; entries are read in that order, the same for
 *   every reader in every process. An entry becomes visible only together with all before it.
 * - **Durability.** `append` resolves after fsync (or the broker's confirm); what it resolved is read by all from then on.
 *   A rejected `append` may have stored any prefix of its events; appending the same again is safe.
 * - **Once.** An event whose `source` and `id` are retained already is not stored again: its point is that of the first.
 * - **Points prove themselves.** An offset is never used twice, also when its entry was dropped.
 * - **Concurrency.** Any number of processes may append and read at once.
 */
export interface Log {
  /** How to show it to people: `sqlite:data/pregon.db`, without any password. */
  readonly name: string;

  /** How the gateways on this log reach each other's connections; absent where it has no way for that: broadcasts are local then. */
  readonly ephemeral?: Ephemeral;

  /**
   * 32 random bytes that were made once, the same for every process that opens this log, and known to nobody else. Keys are derived from
   * them: for positions, and for what clients hand back to prove who they were. Never derived from the log's address or password.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED | CONFIG_INVALID if the log has none and this process may not make one
   */
  secret(): Promise<Uint8Array>;

  /** What outlives retention. */
  readonly kept: Kept;

  /** Queues for those who share work; absent where the log has no broker. */
  readonly queues?: WorkQueues;

  /**
   * Appends events in order; they are safe when the promise resolves.
   *
   * @param events each at most `maxEventBytes` of UTF-8 JSON; a `position` in them is ignored
   * @returns one point per event, in the same order; none where they are not asked for and would cost a read
   * @throws PregonError EVENT_INVALID | EVENT_TOO_LARGE | EVENT_ID_REUSED | EXCHANGE_UNUSABLE if the log can never take one of the events:
   *   trying again is of no use, but the others may be appended without it
   * @throws PregonError LOG_UNAVAILABLE (retryable) | LOG_CLOSED
   */
  append(events: readonly PregonEvent[], options?: AppendOptions): Promise<LogPoint[]>;

  /** The last point, of any exchange; where the log is empty, {@link Log.floor}. */
  head(): Promise<LogPoint>;

  /** The point before the first retained entry: the last one dropped, or the log's birth, which no other log shares. */
  floor(): Promise<LogPoint>;

  check(point: LogPoint): Promise<Presence>;

  /**
   * One page. Where `after` lies below the floor, the page starts at the first retained entry: {@link Log.check} first.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  read(request: ReadRequest): Promise<ReadPage>;

  /**
   * The entry at a point, with all that the log keeps of it; undefined if the log does not hold this very event (any more), or holds it
   * for an exchange that it was not opened for. Of entries that an older release wrote, the attributes are read from the payload.
   *
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  detail(point: LogPoint): Promise<StoredEntry | undefined>;

  /**
   * The retained entries with an id, of the exchanges that the log was opened for.
   *
   * What it costs depends on the log. SQLite has an index, with one look-up for each source that ever appended. RabbitMQ knows where the
   * last 50,000 entries of a `source` stand; anything else is a scan of the whole stream, at some 20 µs of CPU an entry, one
   * search at a time in each process. So give a `source` where it is known, and a `signal`.
   *
   * @throws RangeError if the limit is not an integer from 1 on
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  find(request: FindRequest): Promise<Found>;

  /**
   * The point of the last entry of `source` (of any source where undefined) whose sequence is at most `sequence`, provided that the
   * log has come as far as that sequence; undefined if it has not, or if that entry is not retained. If the log was
   * trimmed to nothing and that entry was the last of the source, the floor.
   */
  locate(sequence: number, source: string | undefined): Promise<LogPoint | undefined>;

  /** Calls the follower with what is appended after a point, by any process, from now on. */
  follow(after: LogPoint, follower: LogFollower): StopFollowing;

  /** Ends what is under way, frees all; later calls reject with LOG_CLOSED. */
  close(): Promise<void>;
}

/** What a log is opened with, whatever its kind. */
export interface LogOptions {
  /** Only entries of these exchanges are read; `append` takes all. @default all */
  readonly exchanges?: readonly string[];
  /** The most bytes of UTF-8 JSON of one event, at most 64 MiB. @default 1048576 (1 MiB) */
  readonly maxEventBytes?: number;
}

export const DEFAULT_PAGE_COUNT = 1_000;
export const DEFAULT_PAGE_BYTES = 262_144;
