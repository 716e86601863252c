/**
 * The connection between a client and its gateway:
 *
 * - `connecting`: a connection is being opened;
 * - `catching-up`: connected, and some subscription is not open yet, or is given what was missed;
 * - `online`: connected, every subscription is live;
 * - `waiting`: the connection was lost; the next attempt is at `retryAt`;
 * - `offline`: it was lost, and the device says that it has no network; the next attempt is when that is back, or at `retryAt`;
 * - `refused`: the gateway, or a server in its place, refuses the connection; `lastError` says why and what to do. After a close code, no
 *   attempt is made until `connectNow()`. After an HTTP status, which may be that of a proxy, the next attempt is at `retryAt`, 30 to 60 s
 *   later, or when the page becomes visible or the network changes;
 * - `closed`: for good, by `close()`.
 */
export type ConnectionState = 'connecting' | 'catching-up' | 'online' | 'waiting' | 'offline' | 'refused' | 'closed';

/**
 * What can happen: `welcomed` is the gateway's first frame, `behind` and `caughtUp` tell of the subscriptions, `refused` is an
 * end after which another attempt would end the same way, `attempt` is the retry timer, `connectNow()`, or a hint of the platform: the
 * network changed, or the page became visible.
 */
export type ConnectionEvent =
  | 'welcomed'
  | 'behind'
  | 'caughtUp'
  | 'lost'
  | 'lostWithoutNetwork'
  | 'refused'
  | 'networkDown'
  | 'attempt'
  | 'close';

type Changes = Partial<Record<ConnectionEvent, ConnectionState>>;

const CONNECTION_HELD = {
  lost: 'waiting',
  lostWithoutNetwork: 'offline',
  refused: 'refused',
  close: 'closed',
} as const satisfies Changes;

const RETRY_DUE = {
  refused: 'refused',
  attempt: 'connecting',
  close: 'closed',
} as const satisfies Changes;

/** What changes in each state; any other event leaves it as it is. */
const CHANGES: Readonly<Record<ConnectionState, Changes>> = {
  connecting: { ...CONNECTION_HELD, welcomed: 'catching-up' },
  'catching-up': { ...CONNECTION_HELD, caughtUp: 'online' },
  online: { ...CONNECTION_HELD, behind: 'catching-up' },
  waiting: { ...RETRY_DUE, networkDown: 'offline' },
  offline: RETRY_DUE,
  refused: { attempt: 'connecting', close: 'closed' },
  closed: {},
};

/** The state after an event; the same state means that the event changes nothing. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return CHANGES[state][event] ?? state;
}

/** Whether a connection is there, or is being opened. */
export function holdsConnection(state: ConnectionState): boolean {
  return state === 'connecting' || isConnected(state);
}

/** Whether frames can be sent. */
export function isConnected(state: ConnectionState): boolean {
  return state === 'catching-up' || state === 'online';
}
