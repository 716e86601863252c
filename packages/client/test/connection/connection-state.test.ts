import { describe, expect, it } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionState,
  holdsConnection,
  isConnected,
  isRefused,
  nextState,
} from '../../src/connection/connection-state.js';

const STATES: readonly ConnectionState[] = [
  'connecting',
  'catching-up',
  'online',
  'waiting',
  'offline',
  'refused',
  'unauthorized',
  'forbidden',
  'closed',
];
const EVENTS: readonly ConnectionEvent[] = [
  'welcomed',
  'behind',
  'caughtUp',
  'lost',
  'lostWithoutNetwork',
  'refused',
  'unauthorized',
  'forbidden',
  'networkDown',
  'attempt',
  'close',
];

/** The rules, one for each event, from which each cell of the table follows. */
const RULES: Record<ConnectionEvent, (state: ConnectionState) => ConnectionState> = {
  welcomed: (state) => (state === 'connecting' ? 'catching-up' : state),
  behind: (state) => (isConnected(state) ? 'catching-up' : state),
  caughtUp: (state) => (isConnected(state) ? 'online' : state),
  lost: (state) => (holdsConnection(state) ? 'waiting' : state),
  lostWithoutNetwork: (state) => (holdsConnection(state) ? 'offline' : state),
  refused: (state) => (state === 'closed' || isRefused(state) ? state : 'refused'),
  unauthorized: (state) => (holdsConnection(state) ? 'unauthorized' : state),
  forbidden: (state) => (holdsConnection(state) ? 'forbidden' : state),
  networkDown: (state) => (state === 'waiting' ? 'offline' : state),
  attempt: tryNow,
  close: () => 'closed',
};

function tryNow(state: ConnectionState): ConnectionState {
  return state === 'waiting' || state === 'offline' || isRefused(state) ? 'connecting' : state;
}

describe('the connection states', () => {
  it.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))(
    'follow the rules from %s on %s',
    (state, event) => {
      expect(nextState(state, event)).toBe(state === 'closed' ? 'closed' : RULES[event](state));
    },
  );

  it('lead back to online from every state except closed', () => {
    for (const start of STATES) {
      const reached = new Set<ConnectionState>([start]);
      for (const state of reached) for (const event of EVENTS) reached.add(nextState(state, event));
      expect(reached.has('online')).toBe(start !== 'closed');
    }
  });
});
