/** A running gateway, as the entrances and the healthy client see it. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** The URL of its log, to append to. */
  readonly log: string;
  readonly paths: {
    readonly events: string;
    /** Compressed. */
    readonly zip: string;
    /** With `broadcast: true`. */
    readonly chat: string;
    /** With a snapshot and handlers. */
    readonly rows: string;
    /** Of a component; undefined if there is none. */
    readonly component?: string;
    /** Of the application that the gateway is attached to; undefined if there is none. */
    readonly application?: string;
  };
  readonly http?: { readonly port: number; readonly token: string };
  /** The processes that serve, whose main threads are measured. */
  readonly pids: readonly number[];
  /** Where the probes write. */
  readonly probeFolder: string;
  /** Positions of this log, to be served, mutated, or mixed with others. */
  readonly positions: readonly string[];
  /** What has gone wrong with a process so far: its end, a stack trace, an unhandled error, anything on standard error. */
  readonly faults: readonly string[];
}
