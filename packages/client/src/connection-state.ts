/**
 * How a client stands to its gateway:
 *
 * - `connecting`: a connection is being opened;
 * - `catching-up`: connected, and some subscription is not open yet, or is given what was missed;
 * - `online`: connected, every subscription is live;
 * - `waiting`: the connection was lost; the next attempt is at `retryAt`;
 * - `offline`: it was lost, and the device says that it has no network; the next attempt is when that is back, or at `retryAt`;
 * - `closed`: for good, by `close()` or because the gateway refused.
 */
export type ConnectionState = 'connecting' | 'catching-up' | 'online' | 'waiting' | 'offline' | 'closed';

/**
 * What can happen: `welcomed` is the gateway's first frame, `behind` and `caughtUp` tell of the subscriptions, `refused` is an
 * end after which the gateway wants no other attempt, `due` the retry timer, `woken` a page that is looked at again.
 */
export type ConnectionEvent =
  | 'welcomed'
  | 'behind'
  | 'caughtUp'
  | 'lost'
  | 'lostWithoutNetwork'
  | 'refused'
  | 'due'
  | 'networkUp'
  | 'networkDown'
  | 'woken'
  | 'connectNow'
  | 'close';

/** The state after an event, for each state; the same state means that the event changes nothing. */
export const NEXT_STATE: Readonly<Record<ConnectionState, Readonly<Record<ConnectionEvent, ConnectionState>>>> = {
  connecting: {
    welcomed: 'catching-up',
    behind: 'connecting',
    caughtUp: 'connecting',
    lost: 'waiting',
    lostWithoutNetwork: 'offline',
    refused: 'closed',
    due: 'connecting',
    networkUp: 'connecting',
    networkDown: 'connecting',
    woken: 'connecting',
    connectNow: 'connecting',
    close: 'closed',
  },
  'catching-up': {
    welcomed: 'catching-up',
    behind: 'catching-up',
    caughtUp: 'online',
    lost: 'waiting',
    lostWithoutNetwork: 'offline',
    refused: 'closed',
    due: 'catching-up',
    networkUp: 'catching-up',
    networkDown: 'catching-up',
    woken: 'catching-up',
    connectNow: 'catching-up',
    close: 'closed',
  },
  online: {
    welcomed: 'online',
    behind: 'catching-up',
    caughtUp: 'online',
    lost: 'waiting',
    lostWithoutNetwork: 'offline',
    refused: 'closed',
    due: 'online',
    networkUp: 'online',
    networkDown: 'online',
    woken: 'online',
    connectNow: 'online',
    close: 'closed',
  },
  waiting: {
    welcomed: 'waiting',
    behind: 'waiting',
    caughtUp: 'waiting',
    lost: 'waiting',
    lostWithoutNetwork: 'waiting',
    refused: 'waiting',
    due: 'connecting',
    networkUp: 'connecting',
    networkDown: 'offline',
    woken: 'connecting',
    connectNow: 'connecting',
    close: 'closed',
  },
  offline: {
    welcomed: 'offline',
    behind: 'offline',
    caughtUp: 'offline',
    lost: 'offline',
    lostWithoutNetwork: 'offline',
    refused: 'offline',
    due: 'connecting',
    networkUp: 'connecting',
    networkDown: 'offline',
    woken: 'connecting',
    connectNow: 'connecting',
    close: 'closed',
  },
  closed: {
    welcomed: 'closed',
    behind: 'closed',
    caughtUp: 'closed',
    lost: 'closed',
    lostWithoutNetwork: 'closed',
    refused: 'closed',
    due: 'closed',
    networkUp: 'closed',
    networkDown: 'closed',
    woken: 'closed',
    connectNow: 'closed',
    close: 'closed',
  },
};

/** Whether a connection is there, or is being opened. */
export function holdsConnection(state: ConnectionState): boolean {
  return state === 'connecting' || isConnected(state);
}

/** Whether frames can be sent. */
export function isConnected(state: ConnectionState): boolean {
  return state === 'catching-up' || state === 'online';
}
