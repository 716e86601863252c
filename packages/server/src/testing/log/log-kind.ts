import type { Log, LogOptions } from '../../core/ports/log.js';

/** A new, empty log under test, and what a test can do to it from outside, as {@link TestedCapabilities} says. */
export interface LogSubject {
  readonly log: Log;
  /** Opens another handle on the same log, as another process would. */
  another?(options?: LogOptions): Promise<Log>;
  /** Ends all handles, and opens the log again, as after the kill of a process. */
  reopen?(): Promise<Log>;
  /** Drops all but the last `count` entries. */
  trim?(count: number): Promise<void>;
  /** Replaces the log with another one. */
  replace?(): Promise<void>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

/** What a test can do with a kind of log. @default false for each */
export interface TestedCapabilities {
  /** Whether a log can be open more than once. */
  readonly another?: boolean;
  /** Whether the contents outlive the process. */
  readonly durable?: boolean;
  readonly trim?: boolean;
  readonly replace?: boolean;
}

/** A kind of log, for {@link describeLog}. */
export interface LogKind {
  readonly name: string;
  readonly capabilities: TestedCapabilities;
  /** Creates a log that shares nothing with earlier ones. */
  create(options?: LogOptions): Promise<LogSubject>;
  /** The seed of the random numbers, to repeat a failed run. @default a random seed */
  readonly seed?: number;
}
