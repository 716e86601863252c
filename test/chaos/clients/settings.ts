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

/** The status of a follower. */
export interface FollowerReport {
  readonly name: string;
  readonly topics: readonly string[];
  /** Whether it began with the first event of the log. */
  readonly fromFirst: boolean;
  readonly received: number;
  readonly lastId: string | undefined;
  readonly reconnects: number;
  /** Reconnects after which it got the events after its position. */
  readonly resumes: number;
  readonly resets: number;
  /** For a collection: the number of rows and the sum of their versions. */
  readonly holds?: { readonly rows: number; readonly versions: number } | undefined;
}

export interface ClientsReport {
  /** The followers that are present. */
  readonly followers: readonly FollowerReport[];
  /** The sums for followers that have left. */
  readonly gone: {
    readonly followers: number;
    readonly reconnects: number;
    readonly resumes: number;
    readonly resets: number;
  };
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
