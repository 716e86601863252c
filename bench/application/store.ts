import type { AppendableLog, OutboxEvent } from '@pregon/outbox';

/** When a COMMIT was sent and when it was answered, in microseconds. */
export interface CommitTimes {
  readonly began: number;
  readonly ended: number;
}

/** Of a relay, what the application uses. */
export interface StoreRelay {
  start(): void;
  stop(): Promise<void>;
}

/** The application's database: one table, and the outbox. */
export interface Store {
  /** Changes a row to `price` and adds the event that tells of it, in one transaction. */
  change(price: number, event: OutboxEvent): Promise<CommitTimes>;
  relay(log: AppendableLog): StoreRelay;
  close(): Promise<void>;
}
