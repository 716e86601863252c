import type { Log, LogOptions } from './log.js';
import type { LogInfo, Retention, TrimResult } from './retention.js';
import type { QueueName } from './work-queue.js';

/** Whether the server of a log can be reached. `waiting` is reported once for each outage, `connected` at its end. */
export type LogState =
  | { readonly state: 'waiting' /** `host:port` */; readonly broker: string; readonly error: Error }
  | { readonly state: 'connected'; readonly broker: string };

/** The options for opening any kind of log. */
export interface OpenLogOptions extends LogOptions {
  /**
   * How much the log retains. An existing RabbitMQ stream keeps its own limits, and RabbitMQ has no `maxCount`.
   *
   * @default 1 GiB
   */
  readonly retention?: Retention;
  /** Called with errors that lose no event. @default `process.emitWarning` */
  readonly onWarning?: (error: Error) => void;
  /** Aborts the wait for a server that cannot be reached: opening then rejects with LOG_CLOSED. */
  readonly signal?: AbortSignal;
  /** Called when the server becomes unreachable or reachable. @default calls `onWarning` for `waiting` */
  readonly onState?: (state: LogState) => void;
}

/** The capabilities of the log at a URL, known before it is opened. */
export type LogCapabilities =
  | { readonly processes: 'many' }
  /** Only one process can open the log; it refuses a second one. `what` names the log in errors: `a log in memory`. */
  | { readonly processes: 'one'; readonly what: string };

/**
 * One kind of log: the form of its URLs, and how to open it. A driver costs nothing until it is used: it imports its
 * dependencies in {@link LogDriver.open}.
 *
 * - It gets only URLs with one of its schemes.
 * - Its messages about a URL never contain a password.
 * - The log that it opens gives the guarantees of {@link Log}; the suite in `pregon/testing` proves them.
 */
export interface LogDriver {
  /** The name in messages: `SQLite`, `RabbitMQ`. */
  readonly name: string;
  /** URL schemes in lower case, without the colon: `sqlite`. Two drivers must not have the same scheme. */
  readonly schemes: readonly string[];
  /** The form of its URLs in errors: `sqlite:PATH`. @default not mentioned */
  readonly example?: string;

  /**
   * Checks a URL without opening it.
   *
   * @throws PregonError CONFIG_INVALID if the URL is wrong, with what to write instead
   */
  assertUrl(url: string): void;

  capabilities(url: string): LogCapabilities;

  /**
   * Opens the log, and creates it if it is missing. Waits for a server that cannot be reached, until `signal` is
   * aborted.
   *
   * @throws PregonError CONFIG_INVALID | LOG_UNAVAILABLE | LOG_CLOSED
   */
  open(url: string, options: OpenLogOptions): Promise<Log>;

  /**
   * Translates a URL from a configuration file in `folder` to the same log seen from `cwd`: paths in a configuration
   * file are relative to the file.
   *
   * @default returns the URL unchanged
   */
  resolve?(url: string, folder: string, cwd: string): string;

  /**
   * For a URL that no driver knows: what to write if this driver was meant, such as `: write sqlite:x.db`. Not called
   * if the URL may contain a password.
   */
  advice?(url: string): string | undefined;

  /** Functions for operators, beyond reading and appending. */
  readonly admin?: LogAdmin;
}

export interface LogAdmin {
  /** The URL for messages, without a password. */
  show(url: string): string;

  /**
   * Whether the log exists; the check does not create one. Absent if only `open` can find out.
   *
   * @throws PregonError CONFIG_INVALID
   */
  exists?(url: string): Promise<boolean>;

  /** Opens a log that can report its contents and drop old entries. Absent if the log cannot do that. */
  maintain?(url: string): Promise<MaintainedLog>;

  /** Connects to the server to manage the exchanges and queues around a log. Absent if the log needs none. */
  bus?(url: string, plan: BusPlan): Promise<LogBus>;

  /** Opens an application's database at a URL of the same form; undefined if the URL does not name a database. */
  database?(url: string): Promise<EmbeddedDatabase | undefined>;
}

export interface MaintainedLog extends Log {
  /**
   * Drops the oldest entries until the limits hold, in steps over several event loop turns.
   *
   * @throws RangeError if a limit is invalid
   * @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED
   */
  trim(limits: Retention): Promise<TrimResult>;

  /** @throws PregonError LOG_UNAVAILABLE | LOG_CLOSED */
  info(): Promise<LogInfo>;
}

/** The objects that a log needs on its server. */
export interface BusPlan {
  readonly exchanges: readonly string[];
  readonly queues: readonly QueueName[];
  /** Undefined if any retention is accepted. */
  readonly retention: Retention | undefined;
}

/** One object on the server, and its state. */
export interface BusItem {
  readonly what: string;
  /** Undefined if the object is as it should be; `is missing` if it does not exist. */
  readonly problem: string | undefined;
}

export interface LogBus {
  /** The name in messages, without a password. */
  readonly name: string;
  /** Reports the state of each object, and changes nothing. */
  check(): Promise<BusItem[]>;
  /** Creates missing objects, and does not change existing ones. @throws PregonError CONFIG_INVALID */
  create(): Promise<void>;
  /** Deletes all objects, with all events. @returns the names of the deleted objects */
  drop(): Promise<string[]>;
  close(): Promise<void>;
}

/** A database connection with the shape of `SqliteDatabase` of `@pregon/outbox`. */
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
