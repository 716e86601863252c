import type { Log, LogOptions } from '../../packages/server/src/core/ports/log.js';

/** A log under test, new and empty, and what can be done to it from outside. */
export interface LogSubject {
  readonly log: Log;
  /** Opens another handle on the same log. */
  another(options?: LogOptions): Promise<Log>;
  /** Ends all handles, and opens the log anew, as a process does that was killed. */
  reopen(): Promise<Log>;
  /** Drops all but the last `count` entries. */
  trim(count: number): Promise<void>;
  /** Puts another log in its place. */
  replace(): Promise<void>;
  /** Closes all handles and cleans up. */
  dispose(): Promise<void>;
}

/** What a kind of log can be made to do in a test. */
export interface LogCapabilities {
  readonly another: boolean;
  /** Whether what it holds outlives the process. */
  readonly durable: boolean;
  readonly trim: boolean;
  readonly replace: boolean;
}

export interface LogKind {
  readonly name: string;
  readonly capabilities: LogCapabilities;
  create(options?: LogOptions): Promise<LogSubject>;
}

/** Opens a log that is gone after the test. */
export type Open = (options?: LogOptions) => Promise<LogSubject>;
