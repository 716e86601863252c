import type { Histogram } from './check/histogram.js';
import type { Finding } from './check/tally.js';

/** In milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly 'p99.9': number;
  readonly max: number;
}

/** What a run has found; printed as it is with `--json`. */
export interface LoadResult {
  readonly url: string;
  readonly protocol: 'plain' | 'pregon.v1';
  /** The name of the run: its events' ids begin with it. */
  readonly run: string;
  /** Whether nothing was lost, reordered or duplicated, and all connections are open. */
  readonly ok: boolean;
  /** How long was measured, until the last event was published. */
  readonly seconds: number;
  readonly connections: {
    readonly asked: number;
    readonly opened: number;
    readonly openAtEnd: number;
    readonly seconds: number;
    readonly perSecond: number;
    /** From an attempt's start until the gateway has answered. */
    readonly handshakeMs: Latencies;
    /** Attempts that failed, by reason. */
    readonly failedAttempts: Readonly<Record<string, number>>;
    /** How often an open connection closed by itself, by reason. */
    readonly lost: Readonly<Record<string, number>>;
    /** How often one came back. */
    readonly resumed: number;
    /** How often the gateway could not serve a position. */
    readonly resets: number;
  };
  /** Absent where nothing was published. */
  readonly published?: {
    readonly events: number;
    readonly perSecond: number;
    readonly topics: number;
    readonly retries: number;
    /** Handed out and not confirmed: in the log or not; nobody is expected to have got them. */
    readonly unconfirmed: number;
    /** Why publishing ended early, where it did. */
    readonly failure?: string;
  };
  readonly delivered: {
    /** Of those expected. */
    readonly events: number;
    /** Published events, for each connection that wants them. */
    readonly expected: number;
    /** All that came, of others too. */
    readonly perSecond: number;
    readonly bytes: number;
    readonly bytesPerSecond: number;
  };
  /** From sending to coming; where nothing was published, from the `time` of each event. Absent where no event came. */
  readonly latencyMs?: Latencies;
  /** Missing on connections that are open. */
  readonly lost: number;
  /** Missing on connections that are gone. */
  readonly undelivered: number;
  readonly reordered: number;
  readonly duplicates: number;
  /** Events whose topic the connection has not subscribed to. */
  readonly unasked: number;
  /** What is not of this run. */
  readonly others: { readonly events: number; readonly messages: number };
  readonly storm?: StormResult;
  /** What this process itself took: where its loop is busy all the time, latencies are its own. */
  readonly tool: { readonly cpuSeconds: number; readonly cores: number; readonly loopBusy: number };
  /** The first ten faults. */
  readonly findings: readonly Finding[];
  /** What can be done about failures, by reason. */
  readonly advice: Readonly<Record<string, string>>;
}

export interface StormResult {
  readonly connections: number;
  /** Until as many were open again; absent where they never were. */
  readonly openSeconds?: number | undefined;
  /** Until each had got what was published before and during the storm. */
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
