import type { GatewayProcess, LinkState } from '../link.js';
import type { ApplicationState, ApplicationStatus } from './application.js';

/** What the page knows about database, log, gateway and itself; undefined stands for what it does not know. */
export interface Facts {
  readonly state: LinkState;
  /** Where the gateway is: `localhost:1234`. */
  readonly address: string;
  /** The page was live at least once: without a connection it shows what it had then. */
  readonly hasBeenLive: boolean;
  /** At least one attempt to connect has failed. */
  readonly hasFailed: boolean;
  /** While the page is not live: since when, in milliseconds since the Unix epoch. */
  readonly lostAt: number | undefined;
  readonly behind: number;
  readonly outages: number;
  readonly application: ApplicationState;
  readonly status: ApplicationStatus | undefined;
  readonly process: GatewayProcess | undefined;
  /** The number of users in the table of the page. */
  readonly users: number | undefined;
  /** How many events the log of the page holds. */
  readonly events: number;
  /** The sequence of the last event that has one. */
  readonly sequence: number | undefined;
  /** The position up to which the page has read the log. */
  readonly position: string | undefined;
  readonly rate: number;
  /** How many events wait in the log for this page, if their number is known. */
  readonly waiting: number | undefined;
}

/** Whether there is a connection. */
export function isConnected({ state }: Pick<Facts, 'state'>): boolean {
  return state === 'online' || state === 'catching-up';
}

/** Whether an attempt to reach the gateway has failed; false before the first attempt has ended. */
export function isDown({ state, hasFailed }: Facts): boolean {
  return state === 'waiting' || (state === 'connecting' && hasFailed);
}
