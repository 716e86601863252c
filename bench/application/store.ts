import type { AppendableLog, OutboxEvent } from '@pregon/outbox';

/** When a COMMIT was sent and when it was answered, in microseconds. */
export interface CommitTimes {
  readonly began: number;
  readonly ended: number;
}

/** The part of a relay that the application uses. */
export interface StoreRelay {
  start(): void;
  stop(): Promise<void>;
}

/** The application's database: one table, and the outbox. */
export interface Store {
  /** Sets a row to `price` and adds the event for it, in one transaction. */
  change(price: number, event: OutboxEvent): Promise<CommitTimes>;
  relay(log: AppendableLog): StoreRelay;
  close(): Promise<void>;
}
