import type { ResetReason } from '@pregon/protocol';
import type { TransportName } from '../connections/connection.js';

/** Counters of one route and transport. Those that only increase count from the start of the gateway. */
export interface DeliveryCounters {
  readonly route: string;
  readonly transport: TransportName;
  /** The number of open connections. */
  readonly connections: number;
  /**
   * The number of open subscriptions at the head of the log (`live`) and behind it. A subscription that is being opened
   * counts as behind.
   */
  readonly subscriptions: { readonly live: number; readonly behind: number };
  /** The number of deliveries. One delivery is one event written to one subscription. */
  readonly events: number;
  /** The deliveries to subscriptions that were behind, because they resumed or because their client reads slowly. */
  readonly caughtUp: number;
  /**
   * The number of bytes that the operating system accepted, see {@link ConnectionEnd.bytes}. If several namespaces of
   * Socket.IO share a connection, its bytes count for each of them.
   */
  readonly bytes: number;
  /** The number of subscriptions that resumed after the client's position. */
  readonly resumed: number;
  /** The number of subscriptions that were reset, by reason. */
  readonly resets: Readonly<Record<ResetReason, number>>;
  /** The number of refused subscriptions, see {@link Observer.subscribeRefused}. */
  readonly refusedSubscribes: number;
}

/** Counters of the log that a gateway reads. */
export interface LogCounters {
  /** The offset up to which every subscription that is not behind was served. */
  readonly edge: number;
  /** The events that were read and wait for a flush. */
  readonly waiting: { readonly events: number; readonly bytes: number };
  /** The number of live events that were read, by exchange. Beyond 100 exchanges, events count as `other`. */
  readonly eventsRead: Readonly<Record<string, number>>;
  /** The pages that were read from the log for subscriptions behind the history window, and the events in them. */
  readonly pages: { readonly reads: number; readonly events: number };
  /** The bytes of the events in the history window. */
  readonly historyBytes: number;
  /** The log's own counters, see `Log.counters`. */
  readonly own: Readonly<Record<string, number>>;
}

export interface GatewayCounters {
  /** One element for each route and transport that a client has used. */
  readonly deliveries: readonly DeliveryCounters[];
  readonly log: LogCounters;
  /**
   * The number of ephemeral messages that did not reach another gateway, because it reads too slowly or the message is
   * too large.
   */
  readonly ephemeralUnsent: number;
}

/** How far a gateway is behind its log. */
export interface LogLag {
  /**
   * The distance from the last flushed offset to the head of the log; 0 at the head. Offsets may have gaps, so it may
   * exceed the number of events.
   */
  readonly offsets: number;
  /** The `time` of the oldest event that was not flushed; undefined at the head, and if the event has no time. */
  readonly oldestTime: string | undefined;
}

/** Reads the counters of one gateway. */
export interface CounterSource {
  /**
   * Returns the current counters in a new object. Visits each open connection once: 10,000 connections take one to two
   * milliseconds.
   */
  read(): GatewayCounters;
  /** Asks the log how far the gateway is behind. @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  lag(): Promise<LogLag>;
}
