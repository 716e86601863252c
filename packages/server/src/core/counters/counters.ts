import type { ResetReason } from '@pregon/protocol';
import type { TransportName } from '../connections/connection.js';

/** What the clients of one route got by one transport. Figures that only grow count from the start of the gateway. */
export interface DeliveryCounters {
  readonly route: string;
  readonly transport: TransportName;
  /** How many connections are open. */
  readonly connections: number;
  /** How many subscriptions are open: at the head of the log, and behind it, which includes those that are about to begin. */
  readonly subscriptions: { readonly live: number; readonly behind: number };
  /** Deliveries: one event on one subscription, counted when it was written. */
  readonly events: number;
  /** The deliveries to subscriptions that were behind: after they came back, or while they read slowly. */
  readonly caughtUp: number;
  /**
   * How many bytes the operating system took, see {@link ConnectionEnd.bytes}. Clients of Socket.IO that share a connection share its
   * bytes, which count for each of them.
   */
  readonly bytes: number;
  /** Subscriptions that went on after the position of the client. */
  readonly resumed: number;
  /** Subscriptions that were told `reset`. */
  readonly resets: Readonly<Record<ResetReason, number>>;
  /** Subscriptions that were refused, see {@link Observer.subscribeRefused}. */
  readonly refusedSubscribes: number;
}

/** What a gateway reads from its log. */
export interface LogCounters {
  /** The offset up to which all subscriptions that are not behind were served. */
  readonly edge: number;
  /** How many events were read and wait for a flush, and the bytes of them. */
  readonly waiting: { readonly events: number; readonly bytes: number };
  /** How many events came as they were appended, by exchange; beyond 100 exchanges by the name `other`. */
  readonly eventsRead: Readonly<Record<string, number>>;
  /** Catch-up reads: how many pages were read from the log for subscriptions that were behind the history window, and the events in them. */
  readonly pages: { readonly reads: number; readonly events: number };
  /** Bytes of the events that the history window holds. */
  readonly historyBytes: number;
  /** What the log counts by itself, see `Log.counters`. */
  readonly own: Readonly<Record<string, number>>;
}

export interface GatewayCounters {
  /** One for each route and transport that a client has used. */
  readonly deliveries: readonly DeliveryCounters[];
  readonly log: LogCounters;
  /** Ephemeral messages that did not reach another gateway, because it reads too slowly or they are too large. */
  readonly ephemeralUnsent: number;
}

/** How far a gateway is behind its log. */
export interface LogLag {
  /** How far the head of the log is beyond the events that were flushed; 0 at the head. Offsets are not dense: it may exceed the number of events. */
  readonly offsets: number;
  /** The `time` of the oldest event that was not flushed; undefined at the head, and if its producer gave it none. */
  readonly oldestTime: string | undefined;
}

/** The counters of one gateway, for whoever wants to read them. */
export interface CounterSource {
  /** The figures of this moment, in a new object. Looks at each open connection once: 10,000 of them take one to two milliseconds. */
  read(): GatewayCounters;
  /** Asks the log. @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  lag(): Promise<LogLag>;
}
