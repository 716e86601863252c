import type { OutboxEvent, Relay, RelayOptions } from '@pregon/outbox';
import { DEFAULT_MAX_EVENT_BYTES, decodeSequence, PregonError, type PregonEvent } from '@pregon/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bench, BenchTransaction, OpenBench } from '../support/outbox/bench.js';
import { FaultyLog } from '../support/outbox/faulty-log.js';

import { describeRevocations } from './outbox-revocations.contract.js';
import { describeStuckRows } from './outbox-stuck.contract.js';
import { eventually } from './outbox-subject.js';

/** The tests that an outbox must pass on every database and through every driver. */
export function outboxContract(openBench: OpenBench): void {
  let bench: Bench;
  let log: FaultyLog;
  const relays: Relay<number | Promise<number>>[] = [];

  function relayOn(on = bench, options: Partial<RelayOptions> = {}) {
    const errors: Error[] = [];
    const pollIntervalMs = bench.listens ? 60_000 : 10;
    const relay = on.relay({ log, pollIntervalMs, onError: (error) => errors.push(error), ...options });
    relays.push(relay);
    return { relay, errors };
  }

  async function startRelay(options: Partial<RelayOptions> = {}) {
    const started = relayOn(bench, options);
    started.relay.start();
    await eventually(async () => expect([started.relay.state, await started.relay.pending()]).toEqual(['idle', 0]));
    return started;
  }

  const event = (data?: unknown): OutboxEvent => ({
    exchange: 'my_events',
    topic: 'user.42.created',
    type: 'UserWasCreated',
    data,
  });
  const add = (data?: unknown) => bench.add(event(data));
  const addAll = (count: number) =>
    bench.transaction(async (tx) => {
      const ids: string[] = [];
      for (let i = 0; i < count; i++) ids.push((await tx.add(event(i))).id);
      return ids;
    });
  const relayed = (count: number) => eventually(() => expect(log.events.length).toBeGreaterThanOrEqual(count));
  const sequences = () => log.events.map(({ sequence }) => decodeSequence(sequence ?? ''));

  beforeEach(async () => {
    log = new FaultyLog();
    bench = await openBench();
  });

  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await bench.close();
  });

  describe('add', () => {
    it('returns the complete event, as it reaches the log', async () => {
      await startRelay();
      const added = await bench.add({ ...event({ name: 'Ada' }), subject: 'user/42' });
      expect(added).toMatchObject({ specversion: '1.0', source: '/auction', subject: 'user/42' });
      await relayed(1);
      expect(log.events).toEqual([{ ...added, sequence: '0000000000000001' }]);
    });

    it('never reuses the number of a removed row', async () => {
      const { relay } = await startRelay();
      await add(1);
      await add(2);
      await relayed(2);
      await relay.stop();
      expect(await bench.rowsLeft()).toBe(0);
      await bench.migrate();
      relay.start();
      await add(3);
      await relayed(3);
      expect(sequences()).toEqual([1, 2, 3]);
    });

    it('refuses every event that a log would refuse, before anything is written', async () => {
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      await expect(add(10n)).rejects.toThrow(TypeError);
      await expect(add({ price: 10n })).rejects.toThrow(/UserWasCreated cannot be written as JSON.*BigInt/);
      await expect(add(cycle)).rejects.toThrow(TypeError);
      await expect(add(() => 1)).rejects.toThrow(TypeError);
      await expect(bench.add({ ...event(), topic: 'not a topic' })).rejects.toMatchObject({ code: 'EVENT_INVALID' });
      await expect(bench.add({ ...event(), exchange: '' })).rejects.toThrow(PregonError);
      await expect(add('x'.repeat(DEFAULT_MAX_EVENT_BYTES))).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' });
      expect(await bench.rowsLeft()).toBe(0);
    });

    const untakeable: Record<string, Partial<OutboxEvent>> = {
      'an exchange of 256 bytes': { exchange: 'x'.repeat(256) },
      'an exchange of 256 bytes of UTF-8': { exchange: 'é'.repeat(128) },
      'an exchange with a line end': { exchange: 'my\nevents' },
      'an exchange with a lone surrogate': { exchange: '\ud800' },
      'an exchange that AMQP reserves': { exchange: 'amq.mine' },
      'the exchange for revocations': { exchange: '$pregon' },
      'a topic of 256 bytes': { topic: 'é'.repeat(128) },
      'a type of 256 bytes': { type: 'x'.repeat(256) },
      'an id of 1,025 bytes': { id: 'x'.repeat(1_025) },
      'a subject of 1,025 bytes': { subject: 'x'.repeat(1_025) },
      'data of 256 levels': { data: JSON.parse('['.repeat(256) + ']'.repeat(256)) },
      'data that is deeper than the stack': { data: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) },
    };
    it('[fault C4] refuses every event that one of the logs cannot store, before anything is written', async () => {
      for (const [name, overrides] of Object.entries(untakeable)) {
        const added = bench.add({ ...event(), ...overrides });
        await expect(added, name).rejects.toMatchObject({ code: 'EVENT_INVALID', retryable: false });
      }
      expect(await bench.rowsLeft()).toBe(0);
    });

    it('counts the size of an event as the log does, to the byte', async () => {
      const bytesOf = (logged: PregonEvent) => Buffer.byteLength(JSON.stringify(logged));
      await startRelay();
      await add('');
      await relayed(1);
      const rest = log.events.map(bytesOf)[0] ?? 0;
      const free = DEFAULT_MAX_EVENT_BYTES - rest;
      await add('é'.repeat(Math.floor(free / 2)) + 'x'.repeat(free % 2));
      await expect(add('x'.repeat(free + 1))).rejects.toThrow(/1048577 bytes/);
      await relayed(2);
      expect(log.events.map(bytesOf)).toEqual([rest, DEFAULT_MAX_EVENT_BYTES]);
    });

    it('keeps hostile payloads unchanged', async () => {
      const payloads = [
        '',
        '\n\r\u2028',
        'a\0b',
        '\ud800',
        "'; DROP TABLE pregon_outbox; --",
        '\\u0000 $1 %s',
        { __proto__: null, a: [] },
        null,
        0,
        '𝄞'.repeat(9_999),
      ];
      for (const payload of payloads) await add(payload);
      relayOn().relay.start();
      await relayed(payloads.length);
      expect(log.events.map(({ data }) => data)).toEqual(payloads);
    });
  });

  describe('A relay', () => {
    it('[I-5] relays every event of a committed transaction, and no event of one that rolled back', async () => {
      await startRelay();
      const kept = await bench.transaction(async (tx) => [await tx.add(event(1)), await tx.add(event(2))]);
      const rolledBack = bench.transaction(async (tx) => {
        await tx.add(event(3));
        throw new Error('no');
      });
      await expect(rolledBack).rejects.toThrow('no');
      const after = await add(4);
      await relayed(3);
      expect(log.ids).toEqual([...kept, after].map(({ id }) => id));
      expect(sequences()).toEqual([1, 2, 3]);
    });

    it('[I-5] goes on while a transaction is open, and relays its events only once it commits', async () => {
      const { relay } = relayOn(bench, { pollIntervalMs: 5 });
      await add(1);
      await bench.transaction(async (tx) => {
        await tx.add(event(2));
        relay.start();
        await relayed(1);
        await eventually(() => expect(relay.state).toBe('idle'));
        expect(log.events.map(({ data }) => data)).toEqual([1]);
      });
      await relayed(2);
      expect(log.events.map(({ data }) => data)).toEqual([1, 2]);
    });

    it('finds by polling the rows that another process wrote', async () => {
      await startRelay({ pollIntervalMs: 10 });
      await bench.elsewhere().add(event());
      await relayed(1);
    });

    it('drains a backlog in batches, in order, and leaves an empty table', async () => {
      const ids = await addAll(1_234);
      const { relay } = relayOn(bench, { batchSize: 100 });
      expect(await relay.pending()).toBe(1_234);
      relay.start();
      await relayed(1_234);
      await relay.stop();
      expect(log.ids).toEqual(ids);
      expect(log.calls).toBe(13);
      expect(await relay.pending()).toBe(0);
      expect(await relay.lagMs()).toBe(0);
      expect(await bench.rowsLeft()).toBe(0);
    });

    it('keeps a batch of large events small', async () => {
      await bench.transaction(async (tx) => {
        for (let i = 0; i < 10; i++) await tx.add(event('x'.repeat(1_000_000)));
      });
      const sizes: number[] = [];
      log.beforeAppend = (events) => void sizes.push(events.length);
      relayOn().relay.start();
      await relayed(10);
      expect(sizes).toEqual([5, 5]);
    });

    it('removes relayed rows soon, without a call', async () => {
      await startRelay();
      await add();
      await relayed(1);
      await eventually(async () => expect(await bench.rowsLeft()).toBe(0));
    });

    it('finishes the current batch before stop resolves, and starts again from there', async () => {
      let release = () => {};
      log.beforeAppend = () => new Promise<void>((resolve) => (release = resolve));
      const { relay } = await startRelay();
      await add(1);
      await eventually(() => expect(log.calls).toBe(1));
      const stopped = relay.stop();
      expect(() => relay.start()).toThrow(TypeError);
      release();
      await stopped;
      expect(log.events).toHaveLength(1);
      expect(relay.state).toBe('stopped');
      expect(await bench.rowsLeft()).toBe(0);
      await add(2);
      log.beforeAppend = () => {};
      relay.start();
      await relayed(2);
    });

    it('reports how far behind it is', async () => {
      const { relay } = relayOn();
      await add(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await add(2);
      expect(await relay.pending()).toBe(2);
      expect(await relay.lagMs()).toBeGreaterThanOrEqual(49);
      expect(await relay.lagMs()).toBeLessThan(10_000);
    });

    it('[I-1] [I-3] neither reorders nor repeats events if several relays drain one table', async () => {
      const three = [
        relayOn(bench, { batchSize: 7, pollIntervalMs: 1 }),
        relayOn(bench.elsewhere(), { batchSize: 3, pollIntervalMs: 2 }),
        relayOn(bench.elsewhere(), { batchSize: 5, pollIntervalMs: 1 }),
      ];
      let turn = 0;
      // Each append takes a different time, so that the relays overtake one another between read and append.
      log.beforeAppend = () => new Promise((resolve) => setTimeout(resolve, (turn++ * 7) % 11));
      for (const { relay } of three) relay.start();
      const ids: string[] = [];
      for (let i = 0; i < 200; i++) ids.push((await add(i)).id);
      await relayed(200);
      await Promise.all(three.map(({ relay }) => relay.stop()));
      expect(log.ids).toEqual(ids);
      expect(log.calls).toBeGreaterThan(200 / 7);
      expect(await bench.rowsLeft()).toBe(0);
    });
  });

  describe('A relay, after a failure,', () => {
    it('[I-2] keeps the order and skips nothing, however much of a batch the failing log stored', async () => {
      const ids = await addAll(6);
      log.failNext(new PregonError('LOG_UNAVAILABLE', 'not now'));
      log.failNext(new PregonError('LOG_UNAVAILABLE', 'not now'), 2);
      log.failNext(new Error('ECONNRESET'), 3);
      const { relay, errors } = relayOn(bench, { batchSize: 3 });
      relay.start();
      await eventually(() => expect(relay.state).toBe('retrying'));
      await relayed(6);
      await eventually(() => expect(relay.state).toBe('idle'));
      expect(log.ids).toEqual(ids);
      expect(errors.map(({ message }) => message)).toEqual(['not now']);
    });

    it('[fault C7] relays rows that come back with their old numbers, and counts them until then', async () => {
      const { relay } = await startRelay({ pollIntervalMs: 10 });
      await relay.stop();
      const early = await add('early');
      const putBack = await bench.takeRows();
      expect(await bench.rowsLeft()).toBe(0);
      for (let i = 0; i < 3; i++) await add(i);
      relay.start();
      await relayed(3);
      await eventually(async () => expect([await relay.pending(), await bench.rowsLeft()]).toEqual([0, 0]));
      await putBack();
      expect(await relay.pending()).toBe(1);
      expect(await relay.lagMs()).toBeGreaterThan(0);
      await relayed(4);
      await eventually(async () => expect([await relay.pending(), await bench.rowsLeft()]).toEqual([0, 0]));
      expect(log.events.at(-1)).toMatchObject({ id: early.id, data: 'early' });
      const [last = 0, before = 0] = sequences().reverse();
      expect(last).toBeGreaterThan(before);
      // The log already has this event, so the same row again is no new event.
      await putBack();
      await eventually(async () => expect([await relay.pending(), await bench.rowsLeft()]).toEqual([0, 0]));
      await add('later');
      await relayed(5);
      expect(log.events.map(({ data }) => data)).toEqual([0, 1, 2, 'early', 'later']);
      expect(await relay.stuck()).toBe(0);
    });

    it('[fault F4] gives up a silent log on stop, and appends again on the next start', async () => {
      let isSilent = true;
      log.beforeAppend = () => (isSilent ? new Promise<void>(() => {}) : undefined);
      const { relay, errors } = relayOn(bench, { stopTimeoutMs: 50 });
      await add(1);
      relay.start();
      await eventually(() => expect(log.calls).toBe(1));
      await relay.stop();
      expect([relay.state, await bench.rowsLeft()]).toEqual(['stopped', 1]);
      await eventually(() => expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/50 ms/)]));
      isSilent = false;
      relay.start();
      await relayed(1);
      expect(log.calls).toBe(2);
    });

    it('[I-5] goes on if the database was restored while it ran', async () => {
      await startRelay({ pollIntervalMs: 10 });
      await addAll(5);
      await relayed(5);
      await eventually(async () => expect(await bench.rowsLeft()).toBe(0));
      await bench.restore();
      await add('restored');
      await relayed(6);
      expect(log.events.at(-1)?.data).toBe('restored');
    });
  });

  const subject = {
    get bench() {
      return bench;
    },
    get log() {
      return log;
    },
    relayOn,
    startRelay,
    event,
    add,
    addAll,
    relayed,
    sequences,
  };
  describeStuckRows(subject);
  describeRevocations(subject);

  describe('A snapshot', () => {
    const write = (id: number) =>
      bench.transaction(async (tx: BenchTransaction) => {
        await tx.insertItem(id);
        await tx.add(event({ id }));
      });

    it('[I-6] contains the changes of all events up to its sequence', async () => {
      expect(await bench.snapshot()).toEqual({ rows: [], sequence: 0, source: '/auction', relayed: 0 });
      await write(1);
      await write(2);
      expect(await bench.snapshot()).toEqual({ rows: [1, 2], sequence: 2, source: '/auction', relayed: 0 });
      await startRelay();
      await eventually(async () => expect(await bench.snapshot()).toMatchObject({ sequence: 2, relayed: 2 }));
    });

    it('[fault C4] [I-6] has a sequence that the log reaches, even if the last events were set aside', async () => {
      await write(1);
      await bench.addRow('{}');
      await bench.addRow('{}');
      const { relay } = await startRelay({ pollIntervalMs: 10 });
      await eventually(async () => expect(await relay.stuck()).toBe(2));
      expect(await bench.snapshot()).toMatchObject({ rows: [1], sequence: 1 });
      await write(2);
      await relayed(2);
      expect(await bench.snapshot()).toMatchObject({ rows: [1, 2], sequence: 4 });
    });

    it('[I-6] contains nothing of an open transaction, neither its rows nor its events', async () => {
      await write(1);
      const other = bench.elsewhere();
      await bench.transaction(async (tx) => {
        await tx.insertItem(2);
        await tx.add(event({ id: 2 }));
        expect(await other.snapshot()).toMatchObject({ rows: [1], sequence: 1 });
      });
      expect(await other.snapshot()).toMatchObject({ rows: [1, 2], sequence: 2 });
    });
  });
}
