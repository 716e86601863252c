import type { Session } from './session.js';

/** Receives the events of a listener. */
export interface Hearing {
  heard(payload: string): void;
  /** Listening has begun, or begun again: earlier notifications may have been missed. */
  listening(): void;
  /** A connection was lost; the listener reconnects by itself. */
  failed(error: Error): void;
}

export interface Listener {
  /**
   * The server process of the listener's connection, which ends when this process ends; undefined without a connection.
   */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export interface TransactionOptions {
  readonly access: 'read only' | 'read write';
  /** The time limit for a query of the session, in milliseconds. */
  readonly queryMs: number;
}

/** Gets the transaction both as a session and as the driver's own handle, whose queries have no deadline. */
export type TransactionWork<T> = (session: Session, tx: unknown) => Promise<T>;

/**
 * A pool of connections of any driver. `query` and `script` use any connection and fail if there is no answer within
 * `answerMs`; each is a transaction of its own.
 */
export interface Database extends Session {
  /** The maximum number of its connections, if known. */
  readonly maxConnections: number | undefined;

  /**
   * Runs statements as one transaction, in one round trip if the driver can.
   *
   * @param setup statements that return no rows; at least one
   * @returns the rows of each of `queries`
   */
  script(setup: readonly string[], queries: readonly string[]): Promise<readonly (readonly unknown[])[]>;

  /**
   * Runs `work` in a new REPEATABLE READ transaction. Its first query takes the MVCC snapshot. The time limit is twice
   * `answerMs` to begin and `answerMs` to end. `work` has no limit; it ends when it is done or the connection is lost.
   */
  transaction<T>(options: TransactionOptions, work: TransactionWork<T>): Promise<T>;

  /**
   * Absent if the driver cannot listen.
   * @returns undefined if the pool has no connection to spare; then the relay must poll
   */
  readonly listen?: (channel: string, hearing: Hearing) => Listener | undefined;
}
