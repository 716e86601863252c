import type { AppendableLog, OutboxSnapshot, Relay, RelayState } from '@pregon/outbox';
import type { User } from '../users/schema.js';
import type { UserStore } from '../users/store.js';

/** What the application keeps, and its outbox, in one database. */
export interface Database {
  /** What people call it: `SQLite`. */
  readonly kind: string;
  /** Which one it is, without a password. */
  readonly name: string;
  readonly users: UserStore;
  /** All users and the point in the events that they stand for, read as one. */
  snapshotOfUsers(): Promise<OutboxSnapshot<User>>;
  /** How many users there are, and how far their events are, read as one. @throws DatabaseUnavailable */
  figures(): Promise<Figures>;
  /** A relay of the outbox to a log, to be started; to be stopped before the database is closed. */
  relay(log: AppendableLog): DatabaseRelay;
  /** Finishes what is under way and frees all. */
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
  /** Of several processes on one database, one is at work and the others are in `standby`. */
  readonly relay: RelayState;
  /** How many events are on their way to the log. */
  readonly pending: number;
  /** For how long the oldest of them has been. */
  readonly lagMs: number;
}

/** What a database needs to know of the application. */
export interface DatabaseOptions {
  readonly exchange: string;
  /** Takes a line for whoever watches the application: what it waits for, and when that is over. */
  readonly say: (line: string) => void;
  readonly logError: (error: unknown) => void;
}

/** The database cannot be used for now; the same may succeed a little later. What is known of why is the cause. */
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
