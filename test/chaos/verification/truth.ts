/** A change as the application noted it in the transaction that made it. */
export interface CommittedEvent {
  readonly id: string;
  readonly topic: string;
  /** The row that it changed, `account/7`. */
  readonly row: string;
  /** The version of the row that it made; 1 is a row's first. */
  readonly version: number;
}

export type TableName = 'accounts' | 'orders';

export interface TableRow {
  readonly id: string;
  readonly version: number;
}

/** What is so, by the application's own tables; the outbox and the log have no say in it. */
export interface Truth {
  /** All that was committed, the last of the run last. */
  readonly events: readonly CommittedEvent[];
  /**
   * What orders them: `commits`, the order of `events` itself; or `rows`: transactions that meet at a row come in the order of its
   * versions, those that do not meet come in any, the same for all.
   */
  readonly order: 'commits' | 'rows';
  readonly tables: Readonly<Record<TableName, readonly TableRow[]>>;
  readonly transactions: number;
}
