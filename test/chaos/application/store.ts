import type { AppendableLog } from '@pregon/outbox';
import type { RevocationKind, TableName } from '../verification/truth.js';

export type Value = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

/** A change of a row, and the event about it. */
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
  /** Writes the event to the outbox, and records it in the application's own table of committed events. */
  emit(change: Change): Promise<void>;
  /** Revokes the tokens of a user, or blocks the user, by the outbox, and records it in the application's own table. */
  revoke(kind: RevocationKind, user: string): Promise<void>;
}

/** The part of a relay that the application uses; on PostgreSQL the answer is a promise. */
export interface StoreRelay {
  start(): void;
  stop(): Promise<void>;
  pending(): number | Promise<number>;
}

/** The application's database with its outbox. */
export interface Store {
  /** How long a transaction may be held open; short if it blocks all others. */
  readonly longestTransactionMs: number;
  /** Creates missing tables. */
  migrate(): Promise<void>;
  /** Commits if `work` resolves, and rolls back if it rejects. */
  transaction(work: (tx: Transaction) => Promise<void>): Promise<void>;
  /** The rows with the sequence that they stand for, as gateways expect them. */
  snapshot(table: TableName): Promise<object>;
  relay(log: AppendableLog, onError: (error: Error) => void): StoreRelay;
  close(): Promise<void>;
}
