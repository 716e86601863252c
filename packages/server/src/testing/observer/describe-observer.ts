import { PregonError } from '@pregon/protocol';
import type { Connection } from '../../core/connections/connection.js';
import type { CounterSource } from '../../core/counters/counters.js';
import type { Observer } from '../../core/ports/observer.js';
import { createGateway } from '../../gateway/create-gateway.js';
import { openMemoryLog } from '../../logs/memory/memory-log.js';
import { expect } from '../assertions/expect.js';
import type { TestRunner } from '../runner.js';

/** A kind of observer, for {@link describeObserver}. */
export interface ObserverKind {
  readonly name: string;
  /** Creates a new observer. */
  observer(): Observer;
}

const END = { code: 1000, reason: '', openMs: 1_234.5, bytes: 99 };

/** An observer is called in the middle of the gateway's work: a call may take this long on average. */
const MOST_MS_PER_CALL = 1;

const ROUNDS = 50;

/** Counters without values; for calls that a gateway would make. */
const COUNTERS: CounterSource = {
  read: () => ({
    deliveries: [],
    log: {
      edge: 0,
      waiting: { events: 0, bytes: 0 },
      eventsRead: {},
      pages: { reads: 0, events: 0 },
      historyBytes: 0,
      own: {},
    },
    ephemeralUnsent: 0,
  }),
  lag: async () => ({ offsets: 0, oldestTime: undefined }),
};

/** Never connected; for calls that a gateway would make. */
const CONNECTION: Connection = {
  id: '0',
  route: 'events',
  transport: 'websocket',
  remoteAddress: '127.0.0.1',
  request: { url: '/events', headers: {}, remoteAddress: '127.0.0.1' },
  identity: undefined,
  isOpen: true,
  notes: new Map(),
  send: () => true,
  close() {},
  toJSON: () => ({ id: '0', route: 'events', transport: 'websocket', remoteAddress: '127.0.0.1' }),
};

function callAll(observer: Observer): readonly unknown[] {
  const error = new Error('test');
  return [
    observer.started?.(COUNTERS),
    observer.opened?.(CONNECTION),
    observer.received?.(CONNECTION, undefined),
    observer.failed?.(CONNECTION, error),
    observer.closed?.(CONNECTION, END),
    observer.subscribeRefused?.(CONNECTION, new PregonError('TOPIC_INVALID', 'test')),
    observer.delivered?.({ route: 'events', transport: 'websocket', chunks: [], deliveries: 0 }),
    observer.refused?.({ reason: 'origin', message: 'test' }),
    observer.ephemeralDropped?.('events'),
    observer.logChanged?.({ state: 'unavailable', error }),
    observer.logChanged?.({ state: 'available' }),
    observer.logChanged?.({ state: 'replaced', head: { offset: 1, fingerprint: 2 } }),
  ];
}

/**
 * Tests of what a gateway expects of an {@link Observer}.
 *
 * @param runner the functions of a test runner, such as `describe` and `it` of Vitest or `node:test`
 * @param kind the observer
 * @example
 * describeObserver({ describe, it }, { name: 'counts', observer: () => counts });
 */
export function describeObserver({ describe, it }: TestRunner, kind: ObserverKind): void {
  describe(`observer: ${kind.name}`, () => {
    it('takes every call without an error, and returns nothing to wait for', async () => {
      for (const returned of callAll(kind.observer())) expect(returned).toBeUndefined();
    });

    it('returns quickly from each call', async () => {
      const observer = kind.observer();
      const since = process.cpuUsage();
      let calls = 0;
      for (let round = 0; round < ROUNDS; round++) calls += callAll(observer).length;
      const { user, system } = process.cpuUsage(since);
      expect((user + system) / 1_000 / calls < MOST_MS_PER_CALL, 'CPU time per call is too long').toBe(true);
    });

    it('observes a gateway, which starts and stops with it', async () => {
      const log = openMemoryLog();
      const routes = { events: { path: '/events' } };
      const gateway = await createGateway({ log, routes, observers: [kind.observer()] });
      await gateway.close({ spreadMs: 0 });
      await log.close();
    });
  });
}
