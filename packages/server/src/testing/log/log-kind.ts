import type { Log, LogOptions } from '../../core/ports/log.js';

/** A log under test, new and empty, and what can be done to it from outside: what its kind is capable of. */
export interface LogSubject {
  readonly log: Log;
  /** Opens another handle on the same log, as another process would. */
  another?(options?: LogOptions): Promise<Log>;
  /** Ends all handles, and opens the log anew, as a process does that was killed. */
  reopen?(): Promise<Log>;
  /** Drops all but the last `count` entries. */
  trim?(count: number): Promise<void>;
  /** Puts another log in its place. */
  replace?(): Promise<void>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

/** What a kind of log can be made to do in a test. @default false, each */
export interface TestedCapabilities {
  /** Whether a log may be open more than once. */
  readonly another?: boolean;
  /** Whether what it holds outlives the process. */
  readonly durable?: boolean;
  readonly trim?: boolean;
  readonly replace?: boolean;
}

/** A kind of log, for {@link describeLog}. */
export interface LogKind {
  readonly name: string;
  readonly capabilities: TestedCapabilities;
  /** Makes a log that shares nothing with those that were made before. */
  create(options?: LogOptions): Promise<LogSubject>;
  /** Of the random numbers, to try again what failed. @default another each time */
  readonly seed?: number;
}
