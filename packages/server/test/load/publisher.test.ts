import { describe, expect, it } from 'vitest';
import { collectNow } from '../../../../test/support/collections.js';
import { eventually } from '../../../../test/support/waiting.js';
import { NumberedEvents } from '../../src/load/numbered-event.js';
import { type LoadEvent, type Outlet, PublishError, Publisher } from '../../src/load/publisher.js';

/** Collects events in an array; the first calls are refused with the errors in `refusals`. */
function outletWith(refusals: PublishError[] = [], group = 1, concurrency = 1) {
  const taken: LoadEvent[] = [];
  const calls: number[] = [];
  const outlet: Outlet = {
    group,
    concurrency,
    async publish(events) {
      calls.push(events.length);
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      taken.push(...events);
    },
  };
  return { outlet, taken, calls };
}

function publisherTo(outlet: Outlet, topics = ['a']): Publisher {
  return new Publisher({ outlet, events: new NumberedEvents('bench0123456789ab', 100), topics });
}

/** Bytes of the heap that cannot be collected. */
function heapUsed(): number {
  collectNow();
  return process.memoryUsage().heapUsed;
}

const BUSY = new PublishError('busy', { retryable: true });
const FORBIDDEN = new PublishError('forbidden', { retryable: false });

describe('Publisher', () => {
  it('publishes at its rate, each number once, to the topics in turn', async () => {
    const { outlet, taken } = outletWith();
    const publisher = publisherTo(outlet, ['a', 'b', 'c']);
    const beganAt = performance.now();
    publisher.start(500);
    await eventually(
      () => taken.length,
      (count) => count >= 200,
    );
    await publisher.stop(1_000);
    const seconds = (performance.now() - beganAt) / 1_000;
    expect(taken.length).toBeLessThanOrEqual(seconds * 500 + 2);
    expect(taken.map(({ id }) => Number(id?.split('-')[1]))).toEqual(taken.map((_, index) => index));
    expect(taken.slice(0, 4).map(({ topic }) => topic)).toEqual(['a', 'b', 'c', 'a']);
    expect([publisher.confirmed, publisher.next, publisher.unconfirmed.size]).toEqual([taken.length, taken.length, 0]);
  });

  it('groups the events that are due, up to the size of a group', async () => {
    const { outlet, taken, calls } = outletWith([], 7);
    const publisher = publisherTo(outlet);
    publisher.start(20_000);
    await eventually(
      () => taken.length,
      (count) => count >= 500,
    );
    await publisher.stop(1_000);
    expect(Math.max(...calls)).toBe(7);
  });

  it('keeps nothing of finished calls, however long it runs', async () => {
    let calls = 0;
    const outlet: Outlet = {
      group: 1,
      concurrency: 1,
      publish: () => {
        calls += 1;
        return new Promise((resolve) => setImmediate(resolve));
      },
    };
    const publisher = publisherTo(outlet);
    publisher.start(1_000_000);
    const after = async (more: number) => {
      const until = calls + more;
      await eventually(
        () => calls,
        (count) => count >= until,
      );
      return heapUsed();
    };
    const before = await after(5_000);
    expect((await after(40_000)) - before).toBeLessThan(2e6);
    await publisher.stop(1_000);
  });

  it('retries the same event until it is confirmed', async () => {
    const { outlet, taken } = outletWith([BUSY]);
    const publisher = publisherTo(outlet);
    publisher.start(1_000);
    await eventually(
      () => taken.length,
      (count) => count >= 3,
    );
    await publisher.stop(1_000);
    expect(publisher.retries).toBe(1);
    expect(taken.map(({ id }) => Number(id?.split('-')[1])).slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('ends if nothing can be published, and reports the unconfirmed events', async () => {
    const { outlet } = outletWith([FORBIDDEN]);
    const publisher = publisherTo(outlet);
    publisher.start(1_000);
    await eventually(
      () => publisher.failure,
      (failure) => failure !== undefined,
    );
    await publisher.stop(1_000);
    expect([publisher.failure, publisher.confirmed, [...publisher.unconfirmed]]).toEqual([FORBIDDEN, 0, [0]]);
  });

  it('waits at most the given time for pending calls', async () => {
    const publisher = publisherTo({ group: 1, concurrency: 2, publish: () => new Promise(() => {}) });
    publisher.start(1_000);
    await eventually(
      () => publisher.next,
      (next) => next === 2,
    );
    await publisher.stop(50);
    expect([publisher.next, publisher.confirmed, publisher.unconfirmed.size]).toEqual([2, 0, 2]);
  });
});
