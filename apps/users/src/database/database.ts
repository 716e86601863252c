import type { AppendableLog, OutboxSnapshot, Relay, RelayState } from '@pregon/outbox';
import type { User } from '../users/schema.js';
import type { UserStore } from '../users/store.js';

/** The application's data and its outbox, in one database. */
export interface Database {
  /** The product name: `SQLite`. */
  readonly kind: string;
  /** The name or address of this database, without a password. */
  readonly name: string;
  readonly users: UserStore;
  /** Reads all users and the matching point in the events, as one consistent snapshot. */
  snapshotOfUsers(): Promise<OutboxSnapshot<User>>;
  /** The number of users and the progress of their events, as one consistent snapshot. @throws DatabaseUnavailable */
  figures(): Promise<Figures>;
  /** Creates a relay from the outbox to a log. It is not started; it must be stopped before the database is closed. */
  relay(log: AppendableLog): DatabaseRelay;
  /** Finishes pending work and releases all resources. */
  close(): Promise<void>;
}

export interface Figures extends Omit<OutboxSnapshot<never>, 'rows'> {
  readonly users: number;
}

export interface DatabaseRelay {
  start(): void;
  stop(): Promise<void>;
  /** @throws DatabaseUnavailable */
  health(): Promise<RelayHealth>;
}

export interface RelayHealth {
  /** If several processes use one database, one relays and the others are in `standby`. */
  readonly relay: RelayState;
  /** How many events are not in the log yet. */
  readonly pending: number;
  /** How long the oldest of them has waited, in milliseconds. */
  readonly lagMs: number;
}

/** What a database needs from the application. */
export interface DatabaseOptions {
  readonly exchange: string;
  /** Prints a line for the user of the application: what it waits for, and when the wait is over. */
  readonly say: (line: string) => void;
  readonly logError: (error: unknown) => void;
}

/** The database cannot be used for now; a retry may succeed. The reason is in `cause`. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/** @param snapshot with the number of users as its only row */
export function figuresOf({ rows: [users = 0], sequence, source, relayed }: OutboxSnapshot<number>): Figures {
  return { users, sequence, source, relayed };
}

export async function healthOf(relay: Relay<number | Promise<number>>): Promise<RelayHealth> {
  return { relay: relay.state, pending: await relay.pending(), lagMs: await relay.lagMs() };
}
