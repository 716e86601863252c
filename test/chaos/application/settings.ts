import type { DeathPlace } from './death.js';

/** What the application's process is started with, as JSON in its first argument. */
export interface ApplicationSettings {
  /** `sqlite:PATH` or `postgres://…`: where its rows are. */
  readonly store: string;
  /** As `pregon --log` takes it. */
  readonly log: string;
  /** Of its HTTP server. */
  readonly port: number;
  /** Transactions in a second. */
  readonly rate: number;
  readonly seed: number;
}

/** What the application is told. */
export type ApplicationOrder =
  | { readonly order: 'rest' }
  | { readonly order: 'write last' }
  | { readonly order: 'die'; readonly place: DeathPlace };

/** What it says by itself, several times a second. */
export interface ApplicationReport {
  readonly pid: number;
  readonly committed: number;
  readonly rolledBack: number;
  readonly failed: number;
  readonly appendedAgain: number;
  readonly pending: number;
  readonly resting: boolean;
  readonly wroteLast: boolean;
}

export function isOrder(message: unknown): message is ApplicationOrder {
  if (typeof message !== 'object' || message === null || !('order' in message)) return false;
  return message.order === 'rest' || message.order === 'write last' || message.order === 'die';
}

export function isReport(message: unknown): message is ApplicationReport {
  return typeof message === 'object' && message !== null && 'pid' in message && 'committed' in message;
}
