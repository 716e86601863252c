/** The settings of the clients process, passed as JSON in its first argument. */
export interface ClientsSettings {
  /** Loopback ports, each of which leads to a gateway; all gateways are equivalent. */
  readonly gatewayPorts: readonly number[];
  /** The folder for journals and the rows of collections. */
  readonly folder: string;
  readonly seed: number;
}

/** Tells the clients that from now on none pauses, joins or leaves. */
export interface ClientsOrder {
  readonly order: 'settle';
}

/** How the names of followers begin that join during the run. */
export const NEWCOMER = 'newcomer-';

/** The status of a follower. */
export interface FollowerReport {
  readonly name: string;
  /** The subject of its tokens. */
  readonly user: string;
  readonly isNewcomer: boolean;
  /** Whether the last thing that a gateway said is that its token was revoked. */
  readonly isShutOut: boolean;
  /** The topics of the events that it must receive now. */
  readonly topics: readonly string[];
  /** Whether it began with the first event of the log. */
  readonly fromFirst: boolean;
  readonly received: number;
  readonly lastId: string | undefined;
  readonly reconnects: number;
  /** Reconnects after which it got the events after its position. */
  readonly resumes: number;
  readonly resets: number;
  /** Connections that were ended or refused because the token had expired. */
  readonly expired: number;
  /** Subscriptions that were refused because a new token allowed less. */
  readonly forbidden: number;
  /** Connections that were ended or refused because the token was revoked. */
  readonly revoked: number;
  /** For a collection: the number of rows and the sum of their versions. */
  readonly holds?: { readonly rows: number; readonly versions: number } | undefined;
}

/** What is summed up over all followers. */
export type Total = 'reconnects' | 'resumes' | 'resets' | 'expired' | 'forbidden' | 'revoked';

export interface ClientsReport {
  /** The followers that are present. */
  readonly followers: readonly FollowerReport[];
  /** The sums for followers that have left. */
  readonly gone: Readonly<Record<Total | 'followers', number>>;
  readonly pauses: number;
  readonly settled: boolean;
}

export function isClientsOrder(message: unknown): message is ClientsOrder {
  if (typeof message !== 'object' || message === null || !('order' in message)) return false;
  return message.order === 'settle';
}

export function isClientsReport(message: unknown): message is ClientsReport {
  return typeof message === 'object' && message !== null && 'followers' in message && 'gone' in message;
}
