import type { Log, LogOptions } from './log.js';
import type { LogInfo, Retention, TrimResult } from './retention.js';
import type { QueueName } from './work-queue.js';

/** Whether a server that holds the log can be reached; `waiting` is told once, until `connected`. */
export type LogState =
  | { readonly state: 'waiting' /** `host:port` */; readonly broker: string; readonly error: Error }
  | { readonly state: 'connected'; readonly broker: string };

/** What any kind of log is opened with. */
export interface OpenLogOptions extends LogOptions {
  /** What is kept. A RabbitMQ stream that is there keeps what it kept, and none has a `maxCount`. @default 1 GiB */
  readonly retention?: Retention;
  /** Told of what went wrong and costs no event. @default `process.emitWarning` */
  readonly onWarning?: (error: Error) => void;
  /** Ends the wait for a server that cannot be reached: opening rejects with LOG_CLOSED. */
  readonly signal?: AbortSignal;
  /** Whether the server can be reached. @default `onWarning`, while waiting */
  readonly onState?: (state: LogState) => void;
}

/** What the place that a URL names can do, known before it is opened. */
export type LogCapabilities =
  | { readonly processes: 'many' }
  /** The log has to be opened by one process alone, and refuses a second one. `what`: `a log in memory`. */
  | { readonly processes: 'one'; readonly what: string };

/**
 * One kind of log: which URLs are its own, and how such a log is opened. A value that costs nothing until it is used: what a driver needs,
 * it imports in {@link LogDriver.open}.
 *
 * - Only URLs with one of its schemes are handed to it.
 * - What it says of a URL never repeats a password.
 * - The log that it opens keeps the guarantees of {@link Log}; the suite in `pregon/testing` proves them.
 */
export interface LogDriver {
  /** For people: `SQLite`, `RabbitMQ`. */
  readonly name: string;
  /** Lower case, without the colon: `sqlite`. No two drivers have one in common. */
  readonly schemes: readonly string[];
  /** The form of its URLs, for errors: `sqlite:PATH`. @default not mentioned */
  readonly example?: string;

  /** @throws PregonError CONFIG_INVALID if `open` would not even try, with what to write instead */
  assertUrl(url: string): void;

  capabilities(url: string): LogCapabilities;

  /**
   * Opens the log, which is made if it is not there. Waits for a server that cannot be reached, until `signal` is aborted.
   *
   * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
   */
  open(url: string, options: OpenLogOptions): Promise<Log>;

  /**
   * The URL of the same log seen from `cwd`, if a file in `folder` names it: paths in a configuration are relative to it. @default unchanged
   */
  resolve?(url: string, folder: string, cwd: string): string;

  /** For a URL that no driver knows: what to write if this one was meant, `: write sqlite:x.db`. Not called if it may hold a password. */
  advice?(url: string): string | undefined;

  /** What operators ask beyond reading and appending. */
  readonly admin?: LogAdmin;
}

export interface LogAdmin {
  /** The URL as people may see it, without a password. */
  show(url: string): string;

  /**
   * Whether a log is there; what asks does not make one. Absent if only opening tells.
   *
   * @throws PregonError CONFIG_INVALID
   */
  exists?(url: string): Promise<boolean>;

  /** Opens a log that can say what it holds, and drop what is old. Absent if it cannot. */
  maintain?(url: string): Promise<MaintainedLog>;

  /** Connects to the server on which a log needs more than itself. Absent if it needs nothing. */
  bus?(url: string, plan: BusPlan): Promise<LogBus>;

  /** Opens the database of an application, at a URL of the same form; undefined if the URL names none. */
  database?(url: string): Promise<EmbeddedDatabase | undefined>;
}

export interface MaintainedLog extends Log {
  /**
   * Drops the oldest entries until the limits hold, in steps with turns of the event loop between them.
   *
   * @throws RangeError | PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  trim(limits: Retention): Promise<TrimResult>;

  /** @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  info(): Promise<LogInfo>;
}

/** What a log needs at its server. */
export interface BusPlan {
  readonly exchanges: readonly string[];
  readonly queues: readonly QueueName[];
  /** Undefined if whatever is kept is right. */
  readonly retention: Retention | undefined;
}

/** One thing at the server, and whether it is as it should be. */
export interface BusItem {
  readonly what: string;
  /** Undefined if it is right; `is missing` if it is not there. */
  readonly problem: string | undefined;
}

export interface LogBus {
  /** How to show it to people, without any password. */
  readonly name: string;
  /** Changes nothing. */
  check(): Promise<BusItem[]>;
  /** Makes what is missing, and leaves what is there as it is. @throws PregonError CONFIG_INVALID */
  create(): Promise<void>;
  /** Deletes all of it, with all events. @returns what was there */
  drop(): Promise<string[]>;
  close(): Promise<void>;
}

/** A connection of the shape of `SqliteDatabase` of `@pregon/outbox`. */
export interface EmbeddedDatabase {
  readonly db: {
    exec(sql: string): unknown;
    prepare(sql: string): {
      run(...values: (string | number)[]): { readonly lastInsertRowid: number };
      all(...values: (string | number)[]): unknown[];
    };
  };
  close(): void;
}
