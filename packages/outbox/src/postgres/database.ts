import type { Session } from './session.js';

/** How a listener tells what it hears. */
export interface Hearing {
  heard(payload: string): void;
  /** Listening has begun, or begun again: what was told before was not heard. */
  listening(): void;
  /** A connection was lost; listening begins again by itself. */
  failed(error: Error): void;
}

export interface Listener {
  /** The server's process that serves its connection, which ends when ours does; undefined while there is none. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export interface TransactionOptions {
  readonly access: 'read only' | 'read write';
  /** How long a query of the session may take, in milliseconds. */
  readonly queryMs: number;
}

/** Is given the transaction as a session, and as the driver's own, whose queries have no deadline. */
export type TransactionWork<T> = (session: Session, tx: unknown) => Promise<T>;

/**
 * A pool of connections, of whatever driver. `query` and `script` take any connection, and fail where there is no answer within
 * `answerMs`; each is a transaction of its own.
 */
export interface Database extends Session {
  /** How many connections it has at most, where that is known. */
  readonly maxConnections: number | undefined;

  /**
   * Runs statements as one transaction, in one round trip where the driver can.
   *
   * @param setup statements that return no rows; at least one
   * @returns the rows of each of `queries`
   */
  script(setup: readonly string[], queries: readonly string[]): Promise<readonly (readonly unknown[])[]>;

  /**
   * Runs `work` in a REPEATABLE READ transaction of its own, whose MVCC snapshot is taken by its first query. To begin it takes no
   * longer than twice `answerMs`, to end it no longer than that; for `work` it waits until it is done or the connection is lost.
   */
  transaction<T>(options: TransactionOptions, work: TransactionWork<T>): Promise<T>;

  /** Absent if the driver cannot listen. @returns undefined if the pool has no connection to spare: then the relay must poll */
  readonly listen?: (channel: string, hearing: Hearing) => Listener | undefined;
}
