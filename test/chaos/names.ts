/** What the parts of a run agree on. */
export const EXCHANGE = 'chaos';
export const SOURCE = '/chaos';

/** The topic of the last event of a run, which every client asks for beside its own. */
export const LAST_TOPIC = 'run.ended';

export const ROUTES = {
  /** All events, no snapshot. */
  events: { path: '/events', topics: ['#'] },
  accounts: { path: '/accounts', topics: ['account.#', LAST_TOPIC] },
  orders: { path: '/orders', topics: ['order.#', LAST_TOPIC] },
} as const;

export type RouteName = keyof typeof ROUTES;

/** How often gateways look whether clients are there, and clients whether gateways are. */
export const HEARTBEAT_MS = 2_000;
