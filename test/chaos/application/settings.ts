import type { RevocationKind } from '../verification/truth.js';
import type { DeathPlace } from './death.js';

/** The settings of the application process, passed as JSON in its first argument. */
export interface ApplicationSettings {
  /** `sqlite:PATH` or `postgres://…`: the database of its rows. */
  readonly store: string;
  /** The URL of the log, as `pregon --log` takes it. */
  readonly log: string;
  /** The port of its HTTP server. */
  readonly port: number;
  /** Transactions per second. */
  readonly rate: number;
  readonly seed: number;
}

/** A command to the application. */
export type ApplicationOrder =
  | { readonly order: 'rest' }
  | { readonly order: 'write last' }
  | { readonly order: RevocationKind; readonly user: string }
  | { readonly order: 'die'; readonly place: DeathPlace };

/** The status that it reports several times a second. */
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

const ORDERS = new Set(['rest', 'write last', 'revoke', 'block', 'die']);

export function isOrder(message: unknown): message is ApplicationOrder {
  if (typeof message !== 'object' || message === null || !('order' in message)) return false;
  return typeof message.order === 'string' && ORDERS.has(message.order);
}

export function isReport(message: unknown): message is ApplicationReport {
  return typeof message === 'object' && message !== null && 'pid' in message && 'committed' in message;
}
