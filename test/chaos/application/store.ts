import type { AppendableLog } from '@pregon/outbox';
import type { TableName } from '../verification/truth.js';

export type Value = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

/** A change of a row, and what is told of it. */
export interface Change {
  readonly topic: string;
  readonly type: string;
  readonly row: string;
  readonly version: number;
  readonly data: object;
}

export interface Transaction {
  /** @param sql with `?` for each value */
  run(sql: string, ...values: Value[]): Promise<Row[]>;
  /** Writes the event to the outbox, and notes it in the application's own table of what was committed. */
  emit(change: Change): Promise<void>;
}

/** Of a relay, what the application uses; PostgreSQL's answers by promises. */
export interface StoreRelay {
  start(): void;
  stop(): Promise<void>;
  pending(): number | Promise<number>;
}

/** The application's database with its outbox. */
export interface Store {
  /** How long a transaction may be held open: one that hinders all others not for long. */
  readonly longestTransactionMs: number;
  /** Creates what is missing. */
  migrate(): Promise<void>;
  /** Commits where `work` resolves, and rolls back where it rejects. */
  transaction(work: (tx: Transaction) => Promise<void>): Promise<void>;
  /** Rows and the sequence that they stand for, as gateways want them. */
  snapshot(table: TableName): Promise<object>;
  relay(log: AppendableLog, onError: (error: Error) => void): StoreRelay;
  close(): Promise<void>;
}
