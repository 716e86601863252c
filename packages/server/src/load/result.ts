import type { Histogram } from './check/histogram.js';
import type { Finding } from './check/tally.js';

/** Latencies in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly 'p99.9': number;
  readonly max: number;
}

/** The result of a run; `--json` prints it unchanged. */
export interface LoadResult {
  readonly url: string;
  readonly protocol: 'plain' | 'pregon.v1';
  /** The name of the run: the ids of its events start with it. */
  readonly run: string;
  /** Whether nothing was lost, reordered or duplicated, and all connections are open. */
  readonly ok: boolean;
  /** How long the run measured, until the last event was published. */
  readonly seconds: number;
  readonly connections: {
    readonly asked: number;
    readonly opened: number;
    readonly openAtEnd: number;
    readonly seconds: number;
    readonly perSecond: number;
    /** From the start of an attempt until the gateway answered. */
    readonly handshakeMs: Latencies;
    /** Attempts that failed, by reason. */
    readonly failedAttempts: Readonly<Record<string, number>>;
    /** How often an open connection was closed without a request of this tool, by reason. */
    readonly lost: Readonly<Record<string, number>>;
    /** How often a connection was opened again. */
    readonly resumed: number;
    /** How often the gateway could not serve a position. */
    readonly resets: number;
  };
  /** Absent if nothing was published. */
  readonly published?: {
    readonly events: number;
    readonly perSecond: number;
    readonly topics: number;
    readonly retries: number;
    /** Sent but not confirmed, so possibly not in the log; these are not expected to arrive. */
    readonly unconfirmed: number;
    /** Why publishing ended early, if it did. */
    readonly failure?: string;
  };
  readonly delivered: {
    /** How many of the expected events arrived. */
    readonly events: number;
    /** How many deliveries were expected: each published event counts once per subscribed connection. */
    readonly expected: number;
    /** All received events, including those of other publishers. */
    readonly perSecond: number;
    readonly bytes: number;
    readonly bytesPerSecond: number;
  };
  /**
   * From sending to arrival; from the `time` of each event if the run published nothing. Absent if no event arrived.
   */
  readonly latencyMs?: Latencies;
  /** Events missing on open connections. */
  readonly lost: number;
  /** Events missing on closed connections. */
  readonly undelivered: number;
  readonly reordered: number;
  readonly duplicates: number;
  /** Events on a topic that the connection has not subscribed to. */
  readonly unasked: number;
  /** Events of other publishers, and frames that are not events. */
  readonly others: { readonly events: number; readonly messages: number };
  readonly storm?: StormResult;
  /** What this process used. If its event loop is busy all the time, it causes the latencies itself. */
  readonly tool: { readonly cpuSeconds: number; readonly cores: number; readonly loopBusy: number };
  /** The first ten faults. */
  readonly findings: readonly Finding[];
  /** What can be done about failures, by reason. */
  readonly advice: Readonly<Record<string, string>>;
}

export interface StormResult {
  readonly connections: number;
  /** Seconds until all were open again; absent if not all were. */
  readonly openSeconds?: number | undefined;
  /** Seconds until each had all events published before the storm. */
  readonly caughtUpSeconds?: number | undefined;
}

export function latenciesOf(histogram: Histogram): Latencies {
  const milliseconds = (part: number) => histogram.quantile(part) / 1_000;
  return {
    count: histogram.count,
    p50: milliseconds(0.5),
    p90: milliseconds(0.9),
    p99: milliseconds(0.99),
    'p99.9': milliseconds(0.999),
    max: histogram.max / 1_000,
  };
}
