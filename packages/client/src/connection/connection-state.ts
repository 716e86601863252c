/**
 * The state of the connection between a client and its gateway:
 *
 * - `connecting`: a connection is being opened;
 * - `catching-up`: connected, but at least one subscription is not open yet, or is receiving missed events;
 * - `online`: connected, and every subscription is live;
 * - `waiting`: the connection was lost; the next attempt is at `retryAt`;
 * - `offline`: the connection was lost and the device reports that it has no network; the next attempt is when the
 *   network is back, or at `retryAt`;
 * - `refused`: the gateway, or a server in its place, refuses the connection; `lastError` says why and what to do.
 *   After a close code, the client waits for `connectNow()`. An HTTP status may come from a proxy: after one, the next
 *   attempt is at `retryAt`, 30 to 60 s later, or when the page becomes visible or the network changes;
 * - `unauthorized`: the gateway needs a valid token; `forbidden`: the token is valid, but its user may do nothing here, or
 *   is blocked. `lastError` says why. The client waits for `authorize()` or `connectNow()`;
 * - `closed`: closed for good by `close()`.
 */
export type ConnectionState =
  | 'connecting'
  | 'catching-up'
  | 'online'
  | 'waiting'
  | 'offline'
  | 'refused'
  | 'unauthorized'
  | 'forbidden'
  | 'closed';

/** How a gateway can refuse a client. */
export type Refused = 'refused' | 'unauthorized' | 'forbidden';

/**
 * The inputs of the state table. `welcomed` is the gateway's first frame. `behind` and `caughtUp` report the
 * subscriptions. `refused`, `unauthorized` and `forbidden` are ends after which another attempt would end the same way. `attempt` comes from the retry
 * timer, from `connectNow()`, or from a hint of the platform: the network changed, or the page became visible.
 */
export type ConnectionEvent =
  | 'welcomed'
  | 'behind'
  | 'caughtUp'
  | 'lost'
  | 'lostWithoutNetwork'
  | Refused
  | 'networkDown'
  | 'attempt'
  | 'close';

type Changes = Partial<Record<ConnectionEvent, ConnectionState>>;

const CONNECTION_HELD = {
  lost: 'waiting',
  lostWithoutNetwork: 'offline',
  refused: 'refused',
  unauthorized: 'unauthorized',
  forbidden: 'forbidden',
  close: 'closed',
} as const satisfies Changes;

const RETRY_DUE = {
  refused: 'refused',
  attempt: 'connecting',
  close: 'closed',
} as const satisfies Changes;

const REFUSED = { attempt: 'connecting', close: 'closed' } as const satisfies Changes;

/** The transitions of each state; an event that is not listed leaves the state unchanged. */
const CHANGES: Readonly<Record<ConnectionState, Changes>> = {
  connecting: { ...CONNECTION_HELD, welcomed: 'catching-up' },
  'catching-up': { ...CONNECTION_HELD, caughtUp: 'online' },
  online: { ...CONNECTION_HELD, behind: 'catching-up' },
  waiting: { ...RETRY_DUE, networkDown: 'offline' },
  offline: RETRY_DUE,
  refused: REFUSED,
  unauthorized: REFUSED,
  forbidden: REFUSED,
  closed: {},
};

/** Returns the state after an event; an equal state means that the event changes nothing. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return CHANGES[state][event] ?? state;
}

/** Tells whether there is a connection or an attempt. */
export function holdsConnection(state: ConnectionState): boolean {
  return state === 'connecting' || isConnected(state);
}

/** Tells whether frames can be sent. */
export function isConnected(state: ConnectionState): boolean {
  return state === 'catching-up' || state === 'online';
}

/** Tells whether the gateway, or a server in its place, refuses the client. */
export function isRefused(state: ConnectionState): state is Refused {
  return CHANGES[state] === REFUSED;
}
