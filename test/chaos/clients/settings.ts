/** What the process of the clients is started with, as JSON in its first argument. */
export interface ClientsSettings {
  /** Ports of the loopback address; behind each is a gateway, any one is as good as the others. */
  readonly gatewayPorts: readonly number[];
  /** Where journals and the rows of collections go. */
  readonly folder: string;
  readonly seed: number;
}

/** Nobody pauses, comes or leaves any more. */
export interface ClientsOrder {
  readonly order: 'settle';
}

/** Where a follower stands. */
export interface FollowerReport {
  readonly name: string;
  readonly topics: readonly string[];
  /** It began with the first event that there was. */
  readonly fromFirst: boolean;
  readonly received: number;
  readonly lastId: string | undefined;
  readonly reconnects: number;
  /** Reconnects at which it was given what came after its position. */
  readonly resumes: number;
  readonly resets: number;
  /** Of a collection: its rows and the sum of their versions. */
  readonly holds?: { readonly rows: number; readonly versions: number } | undefined;
}

export interface ClientsReport {
  /** Those that stay to the end. */
  readonly followers: readonly FollowerReport[];
  /** Of those that have left. */
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
