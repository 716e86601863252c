/** Names that the parts of a run share. */
export const EXCHANGE = 'chaos';
export const SOURCE = '/chaos';

/** The topic of the last event of a run; every client subscribes to it besides its own topics. */
export const LAST_TOPIC = 'run.ended';

export const ROUTES = {
  /** Has all events and no snapshot. */
  events: { path: '/events', topics: ['#'] },
  accounts: { path: '/accounts', topics: ['account.#', LAST_TOPIC] },
  orders: { path: '/orders', topics: ['order.#', LAST_TOPIC] },
} as const;

export type RouteName = keyof typeof ROUTES;

/** The heartbeat interval of gateways and clients. */
export const HEARTBEAT_MS = 2_000;
