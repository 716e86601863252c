/** A running gateway, as the entrances and the healthy client use it. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** The URL of its log, for appending. */
  readonly log: string;
  readonly paths: {
    readonly events: string;
    /** A route with compression. */
    readonly zip: string;
    /** A route with `broadcast: true`. */
    readonly chat: string;
    /** A route with a snapshot and handlers. */
    readonly rows: string;
    /** The path of a component, if there is one. */
    readonly component?: string;
    /** A path of the application that the gateway is attached to, if there is one. */
    readonly application?: string;
  };
  readonly http?: { readonly port: number; readonly token: string };
  /** The serving processes, whose main threads are measured. */
  readonly pids: readonly number[];
  /** The folder that the probes write to. */
  readonly probeFolder: string;
  /** Positions of this log, to be sent as they are, mutated, or mixed with others. */
  readonly positions: readonly string[];
  /** Faults of the processes so far: an exit, a stack trace, an unhandled error, or any output on standard error. */
  readonly faults: readonly string[];
}
