import { describe, expect, it } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionState,
  holdsConnection,
  isConnected,
  NEXT_STATE,
} from '../src/connection-state.js';

const STATES: readonly ConnectionState[] = ['connecting', 'catching-up', 'online', 'waiting', 'offline', 'closed'];
const EVENTS: readonly ConnectionEvent[] = [
  'welcomed',
  'behind',
  'caughtUp',
  'lost',
  'lostWithoutNetwork',
  'refused',
  'due',
  'networkUp',
  'networkDown',
  'woken',
  'connectNow',
  'close',
];

/** The rules in words, one an event, from which each of the cells follows. */
const RULES: Record<ConnectionEvent, (state: ConnectionState) => ConnectionState> = {
  welcomed: (state) => (state === 'connecting' ? 'catching-up' : state),
  behind: (state) => (isConnected(state) ? 'catching-up' : state),
  caughtUp: (state) => (isConnected(state) ? 'online' : state),
  lost: (state) => (holdsConnection(state) ? 'waiting' : state),
  lostWithoutNetwork: (state) => (holdsConnection(state) ? 'offline' : state),
  refused: (state) => (holdsConnection(state) ? 'closed' : state),
  due: tryNow,
  networkUp: tryNow,
  networkDown: (state) => (state === 'waiting' ? 'offline' : state),
  woken: tryNow,
  connectNow: tryNow,
  close: () => 'closed',
};

function tryNow(state: ConnectionState): ConnectionState {
  return state === 'waiting' || state === 'offline' ? 'connecting' : state;
}

describe('the connection states', () => {
  it('cover every state and every event', () => {
    expect(Object.keys(NEXT_STATE).sort()).toEqual([...STATES].sort());
    for (const state of STATES) expect(Object.keys(NEXT_STATE[state]).sort()).toEqual([...EVENTS].sort());
  });

  it.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))('%s on %s', (state, event) => {
    const { [state]: before } = NEXT_STATE;
    expect(before[event]).toBe(state === 'closed' ? 'closed' : RULES[event](state));
  });

  it('lead from every state but closed back to online', () => {
    for (const start of STATES) {
      const reached = new Set<ConnectionState>([start]);
      for (const state of reached) for (const event of EVENTS) reached.add(NEXT_STATE[state][event]);
      expect(reached.has('online')).toBe(start !== 'closed');
    }
  });
});
