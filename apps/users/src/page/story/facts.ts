import type { GatewayProcess, LinkState } from '../link.js';
import type { ApplicationState, ApplicationStatus } from './application.js';

/** What the page knows about database, log, gateway and itself; undefined means unknown. */
export interface Facts {
  readonly state: LinkState;
  /** The address of the gateway: `localhost:1234`. */
  readonly address: string;
  /** Whether the page was live at least once. Without a connection, it then shows its last state. */
  readonly hasBeenLive: boolean;
  /** Whether at least one attempt to connect has failed. */
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
  /** The number of events in the log of the page. */
  readonly events: number;
  /** The sequence of the last event that has one. */
  readonly sequence: number | undefined;
  /** The position up to which the page has read the log. */
  readonly position: string | undefined;
  readonly rate: number;
  /** How many events in the log this page has not received; undefined if unknown. */
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
